// The place to write: drafts of each chat, replying, editing, and sending.

import { byId, setText } from "./dom.js";
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
  #isEditing = null; // the message
  #isReplying = null;
  #drafts = new Map(); // chat -> what was written there and not sent

  /** `sent()` is called when a message goes. */
  constructor({ actions, sent }) {
    this.#actions = actions;
    this.#sent = sent;
    this.#mentions = new MentionBox(this.#body, () => this.#fitHeight());
    this.#body.maxLength = LONGEST_MESSAGE;
    this.#listen();
  }

  show(state, chat) {
    this.#state = state;
    if (chat?.id !== this.#chat?.id) this.#swapDrafts(chat);
    this.#chat = chat;
    if (chat === null) return;
    const mayWrite = may(state, chat, "can_write");
    this.#form.hidden = !mayWrite;
    this.#mayNotWrite.hidden = mayWrite;
    setText(this.#mayNotWrite, chat.archived ? ARCHIVED : "You may read here, not write.");
    this.#showMode(state, chat);
    this.#mentions.show(state, chat);
  }

  get isHidden() {
    return this.#form.hidden;
  }

  focus() {
    this.#body.focus();
  }

  #showMode({ replyTo, editing, people }, chat) {
    if (editing !== this.#isEditing) this.#swapEdited(editing, chat);
    const isNew = replyTo !== null && replyTo !== this.#isReplying;
    this.#isReplying = replyTo;
    const subject = editing ?? replyTo;
    const wasHidden = this.#mode.hidden;
    this.#mode.hidden = subject === null;
    if (subject === null) return;
    const name = subject.author_id === this.#state.user.id ? "yourself" : nameOf(chat, subject.author_id, people);
    setText(this.#modeText, `${editing === null ? `Replying to ${name}` : "Editing"}: ${subject.body.slice(0, 200)}`);
    this.#modeIcon.replaceChildren(icon(editing === null ? "reply" : "edit"));
    if (isNew || wasHidden) this.#body.focus();
  }

  // The text of the message that is edited stands in for the draft, which comes back afterwards.
  #swapEdited(editing, chat) {
    if (this.#isEditing === null) this.#drafts.set(chat.id, this.#body.value);
    this.#isEditing = editing;
    this.#body.value = editing?.body ?? this.#drafts.get(chat.id) ?? "";
    this.#fitHeight();
    if (editing === null) return;
    this.#body.focus();
    this.#body.setSelectionRange(this.#body.value.length, this.#body.value.length);
  }

  #swapDrafts(next) {
    if (this.#chat !== null && this.#isEditing === null) this.#drafts.set(this.#chat.id, this.#body.value);
    this.#isEditing = this.#isReplying = null;
    this.#body.value = this.#drafts.get(next?.id) ?? "";
    if (next !== null) requestAnimationFrame(() => this.#fitHeight());
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#body.addEventListener("keydown", (event) => this.#press(event));
    this.#body.addEventListener("input", () => {
      this.#fitHeight();
      if (this.#body.value.trim() && this.#isEditing === null) this.#actions.typed(this.#chat.id);
    });
    byId("mode-cancel").addEventListener("click", () => {
      this.cancel();
      this.#body.focus();
    });
  }

  /** Leave replying and editing. */
  cancel() {
    if (this.#isEditing !== null) this.#actions.beginEdit(null);
    else this.#actions.reply(null);
  }

  #press(event) {
    if (event.isComposing || this.#mentions.press(event)) return; // an input method's Enter belongs to it
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.#body.value === "" && this.#isEditing === null) {
      const message = lastOwn(this.#state, this.#chat);
      if (!message) return;
      event.preventDefault();
      this.#actions.beginEdit(message);
    }
  }

  async #submit() {
    const body = this.#body.value;
    const editing = this.#isEditing;
    if (!body.trim()) return;
    if (editing !== null) {
      if (body === editing.body || (await this.#actions.edit(editing, body))) this.#actions.beginEdit(null);
      return;
    }
    this.#body.value = "";
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
