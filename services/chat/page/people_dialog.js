// Asking for people: for a new chat, or to add to one that there is.

import { byId, element, setText } from "./dom.js";
import { parsePeople } from "./people.js";
import { acquaintances } from "./selectors.js";

const HINT = "Numbers, names of people you share a chat with, or logins; several with commas between.";

export class PeopleDialog {
  #dialog = byId("people");
  #form = byId("people-form");
  #kinds = byId("kinds");
  #nameField = byId("name-field");
  #name = byId("chat-name");
  #who = byId("who");
  #problem = byId("people-problem");
  #go = byId("people-go");
  #actions;
  #known = [];
  #chat = null;

  /** `opened(chatId)` is called with a chat that was made. */
  constructor({ actions, opened }) {
    this.#actions = actions;
    setText(byId("who-hint"), HINT);
    byId("people-cancel").addEventListener("click", () => this.#dialog.close());
    this.#kinds.addEventListener("change", () => this.#showFields());
    this.#form.addEventListener("submit", async (event) => {
      event.preventDefault();
      setText(this.#problem, "");
      this.#go.disabled = true;
      try {
        const chatId = await this.#act();
        this.#dialog.close();
        if (chatId !== null) opened(chatId);
      } catch (error) {
        setText(this.#problem, error.message);
        this.#who.focus();
      } finally {
        this.#go.disabled = false;
      }
    });
  }

  /** Ask for a new chat, or with `chat`, for people to add to it. */
  open(state, chat = null) {
    this.#chat = chat;
    this.#known = acquaintances(state);
    this.#form.reset();
    setText(this.#problem, "");
    setText(byId("people-title"), chat === null ? "New chat" : "Add people");
    setText(this.#go, chat === null ? "Begin" : "Add");
    byId("known-people").replaceChildren(...this.#known.map(({ id, name }) => element("option", { value: `${name} (#${id})` })));
    this.#showFields();
    this.#dialog.showModal();
    this.#who.focus();
  }

  get #kind() {
    return new FormData(this.#form).get("kind");
  }

  #showFields() {
    const isNew = this.#chat === null;
    this.#kinds.hidden = !isNew;
    this.#nameField.hidden = !isNew || this.#kind === "direct";
    setText(byId("who-label"), isNew && this.#kind === "direct" ? "With whom" : "Who");
  }

  // The id of a chat that was made, null when people were added.
  async #act() {
    const userIds = await this.#userIds();
    if (this.#chat === null) return this.#actions.createChat(this.#kind, this.#name.value.trim(), userIds);
    await this.#actions.addMembers(this.#chat.id, userIds);
    return null;
  }

  async #userIds() {
    const { ids, logins } = parsePeople(this.#who.value, this.#known);
    if (logins.length === 0) return ids;
    const found = await this.#actions.usersByLogin(logins);
    const missing = logins.filter((login) => !(login in found));
    if (missing.length > 0) throw new Error(`Nobody has the login ${missing.join(", ")}.`);
    return [...new Set([...ids, ...Object.values(found)])];
  }
}
