// Completing "@" while one writes: a list above the text, walked by the arrows, taken by Enter or Tab.

import { byId, element } from "./dom.js";
import { avatar } from "./parts.js";
import { mentionAt } from "./selectors.js";

export class MentionBox {
  #body;
  #changed;
  #list = byId("mention-list");
  #state = null;
  #chat = null;
  #found = null; // {from, members}
  #at = 0;
  #isDismissed = false;

  /** `body` is the text field; `changed()` is called when a name was put into it. */
  constructor(body, changed) {
    this.#body = body;
    this.#changed = changed;
    body.addEventListener("input", () => {
      this.#isDismissed = false;
      this.#look();
    });
    body.addEventListener("blur", () => this.#close());
  }

  show(state, chat) {
    const isNews = this.#found !== null || state.people !== this.#state?.people; // logins come a moment after the chat
    this.#state = state;
    this.#chat = chat;
    if (isNews && document.activeElement === this.#body) this.#look();
  }

  /** Whether a key was for the list. */
  press(event) {
    if (this.#found === null) return false;
    const { members } = this.#found;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step !== undefined) this.#mark((this.#at + step + members.length) % members.length);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) this.#take(members[this.#at]);
    else if (event.key === "Escape") this.#dismiss();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #look() {
    const { selectionStart, selectionEnd, value } = this.#body;
    const isPlain = selectionStart === selectionEnd && !this.#isDismissed;
    const found = isPlain ? mentionAt(this.#state, this.#chat, value.slice(0, selectionStart)) : null;
    if (found === null) return this.#close();
    const isSame = this.#found !== null && this.#found.members.map(idOf).join() === found.members.map(idOf).join();
    this.#found = found;
    if (isSame) return undefined;
    this.#list.replaceChildren(...found.members.map((member) => this.#option(member)));
    this.#list.hidden = false;
    return this.#mark(0);
  }

  #option(member) {
    const option = element(
      "li",
      { role: "option", id: `mention-${member.userId}` },
      avatar(member.userId, member.name, { size: "small" }),
      element("span", {}, member.name),
      element("span", { class: "faint" }, `@${member.login}`),
    );
    option.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text keeps the keyboard
      this.#take(member);
    });
    return option;
  }

  #mark(index) {
    this.#at = index;
    [...this.#list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    this.#body.setAttribute("aria-activedescendant", this.#list.children[index].id);
  }

  #take({ login }) {
    const { value, selectionStart } = this.#body;
    const end = value[selectionStart] === " " ? selectionStart + 1 : selectionStart; // the blank comes with the name
    this.#body.setRangeText(`@${login} `, this.#found.from, end, "end");
    this.#close();
    this.#changed();
  }

  #dismiss() {
    this.#isDismissed = true;
    this.#close();
  }

  #close() {
    if (this.#found === null) return;
    this.#found = null;
    this.#list.hidden = true;
    this.#body.removeAttribute("aria-activedescendant");
  }
}

const idOf = (member) => member.userId;
