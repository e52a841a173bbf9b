// Choosing people: a text, those who are called so, and those who are chosen.

import { element, setText } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./parts.js";
import { acquaintances } from "./selectors.js";

const PAUSE_MS = 200;
const MOST_KNOWN = 8; // who are offered before anything was written

export class PeoplePicker {
  most = Infinity; // people that can be chosen; one more takes the place of the last

  #state;
  #find;
  #without;
  #chosen = new Map(); // id -> name
  #found = [];
  #asked = 0;
  #timer = null;
  #chips = element("ul", { class: "chips", "aria-label": "Chosen" });
  #input = element("input", {
    ...{ id: "who", type: "search", placeholder: "Name or login" },
    ...{ autocomplete: "off", autocapitalize: "none", spellcheck: "false" },
  });
  #list = element("ul", { class: "choices", id: "who-list", "aria-label": "People" });
  #status = element("p", { class: "faint", role: "status" });

  /** `find(text)` gives [{id, login, name}]; those of `without` (ids) are not offered. */
  constructor({ state, find, without = new Set() }) {
    this.#state = state;
    this.#find = find;
    this.#without = without;
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
    });
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
    this.#ask();
  }

  get elements() {
    return [element("label", { for: "who" }, "People"), this.#chips, this.#input, this.#list, this.#status];
  }

  get userIds() {
    return [...this.#chosen.keys()].slice(-this.most);
  }

  focus() {
    this.#input.focus();
  }

  async #ask() {
    const text = this.#input.value.trim();
    const asked = ++this.#asked;
    let status = "";
    let found = acquaintances(this.#state).slice(0, MOST_KNOWN);
    try {
      if (text || found.length === 0) found = await this.#find(text);
      if (found.length === 0) status = text ? `Nobody is called “${text}”.` : "There is nobody else here.";
    } catch (error) {
      found = acquaintances(this.#state).filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
      status = error.message;
    }
    if (asked !== this.#asked) return; // something else was written meanwhile
    this.#found = found.filter(({ id }) => id !== this.#state.user.id && !this.#without.has(id));
    setText(this.#status, status);
    this.#show();
  }

  #show() {
    this.#chips.replaceChildren(...[...this.#chosen].slice(-this.most).map(([id, name]) => this.#chip(id, name)));
    this.#list.replaceChildren(...this.#found.filter(({ id }) => !this.userIds.includes(id)).map((person) => this.#choice(person)));
  }

  #chip(id, name) {
    const drop = () => {
      this.#chosen.delete(id);
      this.#show();
      this.#input.focus();
    };
    const button = { class: "chip", type: "button", "aria-label": `Do not choose ${name}`, on: { click: drop } };
    return element("li", {}, element("button", button, name, icon("close")));
  }

  #choice({ id, name, login }) {
    const choose = () => {
      this.#chosen.set(id, name);
      this.#input.value = "";
      this.#show();
      this.#input.focus();
    };
    const shown = login ?? this.#state.people[id]?.login;
    return element(
      "li",
      {},
      element(
        "button",
        { class: "choice", type: "button", on: { click: choose } },
        avatar(id, name, { isOnline: this.#state.online[id] }),
        element("span", { class: "two-lines" }, element("span", {}, name), element("span", { class: "faint" }, shown ? `@${shown}` : "")),
      ),
    );
  }

  // Enter takes the first who is offered, as long as something is written.
  #press(event) {
    const first = this.#list.querySelector("button");
    if (event.key === "Enter" && this.#input.value.trim()) {
      event.preventDefault();
      first?.click();
    } else if (event.key === "ArrowDown" && first) {
      event.preventDefault();
      first.focus();
    } else if (event.key === "Backspace" && this.#input.value === "") {
      this.#chips.querySelector("li:last-child button")?.click();
    }
  }

  #walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...this.#list.querySelectorAll("button")];
    (buttons[buttons.indexOf(document.activeElement) + step] ?? this.#input).focus();
  }
}
