// The place to write: what stands there is in the state, see draft_state.js. Replying, editing, and sending.

import { byId, setText } from "./dom.js";
import { textIn } from "./draft_state.js";
import { icon } from "./icons.js";
import { MentionBox } from "./mention_box.js";
import { lastOwn, may, nameOf } from "./selectors.js";

const ARCHIVED = "This chat is archived: it can be read, and nothing in it changes.";
const LONGEST_MESSAGE = 65_536; // CHAT__MAX_BODY_CHARS, unless it was changed: then the server says so

export class ComposerView {
  #form = byId("composer");
  #body = byId("body");
  #mode = byId("mode");
  #modeText = byId("mode-text");
  #modeIcon = byId("mode-icon");
  #mayNotWrite = byId("may-not-write");
  #mentions;
  #actions;
  #sent;
  #state = null;
  #chat = null;
  #text = ""; // of the state: the field's own has other line ends
  #doing = null; // which message is replied to or edited, as a text

  /** `sent()` is called when a message goes. */
  constructor({ actions, sent }) {
    this.#actions = actions;
    this.#sent = sent;
    this.#mentions = new MentionBox(this.#body, () => this.#changed());
    this.#body.maxLength = LONGEST_MESSAGE;
    this.#listen();
  }

  show(state, chat) {
    const isOther = chat?.id !== this.#chat?.id;
    this.#state = state;
    this.#chat = chat;
    this.#showText(chat === null ? "" : textIn(state.drafts, chat.id));
    if (chat === null) return;
    const mayWrite = may(state, chat, "can_write");
    this.#form.hidden = !mayWrite;
    this.#mayNotWrite.hidden = mayWrite;
    setText(this.#mayNotWrite, chat.archived ? ARCHIVED : "You may read here, not write.");
    this.#showMode(state, chat, isOther);
    if (isOther) requestAnimationFrame(() => this.#fitHeight());
    this.#mentions.show(state, chat);
  }

  get isHidden() {
    return this.#form.hidden;
  }

  focus() {
    this.#body.focus();
  }

  // What is written here is in the state at once; so this is another chat's, a message to be edited, or another tab's.
  #showText(text) {
    if (text === this.#text) return;
    this.#text = this.#body.value = text;
    this.#fitHeight();
  }

  #showMode({ replyTo, editing, people, user }, chat, isOther) {
    const subject = editing ?? replyTo;
    const doing = subject && `${editing === null ? "reply" : "edit"} ${subject.id}`;
    const isBegun = doing !== null && doing !== this.#doing && !isOther;
    this.#doing = doing;
    this.#mode.hidden = subject === null;
    if (subject === null) return;
    const name = subject.author_id === user.id ? "yourself" : nameOf(chat, subject.author_id, people);
    setText(this.#modeText, `${editing === null ? `Replying to ${name}` : "Editing"}: ${subject.body.slice(0, 200)}`);
    this.#modeIcon.replaceChildren(icon(editing === null ? "reply" : "edit"));
    if (!isBegun) return;
    this.#body.focus();
    if (editing !== null) this.#body.setSelectionRange(this.#body.value.length, this.#body.value.length);
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#body.addEventListener("keydown", (event) => this.#press(event));
    this.#body.addEventListener("input", () => {
      this.#changed();
      if (this.#text.trim() && this.#state.editing === null) this.#actions.typed(this.#chat.id);
    });
    byId("mode-cancel").addEventListener("click", () => {
      this.cancel();
      this.#body.focus();
    });
  }

  #changed() {
    this.#text = this.#body.value;
    this.#fitHeight();
    this.#actions.draft(this.#chat.id, this.#text);
  }

  /** Leave replying and editing. */
  cancel() {
    if (this.#state.editing !== null) this.#actions.beginEdit(null);
    else this.#actions.reply(null);
  }

  #press(event) {
    if (event.isComposing || this.#mentions.press(event)) return; // an input method's Enter belongs to it
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.#body.value === "" && this.#state.editing === null) {
      const message = lastOwn(this.#state, this.#chat);
      if (!message) return;
      event.preventDefault();
      this.#actions.beginEdit(message);
    }
  }

  async #submit() {
    const body = this.#body.value;
    const { editing } = this.#state;
    if (!body.trim()) return;
    if (editing !== null) {
      if (body === editing.body || (await this.#actions.edit(editing, body))) this.#actions.endEdit(editing);
      return;
    }
    this.#text = this.#body.value = "";
    this.#fitHeight();
    this.#actions.send(this.#chat.id, body);
    this.#sent();
    this.#body.focus();
  }

  // As high as its text, up to what conversation.css allows.
  #fitHeight() {
    this.#body.style.height = "auto";
    this.#body.style.height = `${this.#body.scrollHeight + 2}px`;
  }
}
