// The open chat: who is in it, its pinned messages, who types, and the place to write.

import { KeyedList, byId, element, setAttribute, setText } from "./dom.js";
import { fullTime, listed, shortTime } from "./format.js";
import { LogView } from "./log_view.js";
import { may, nameOf, titleOf, typists } from "./selectors.js";

const LONGEST_MESSAGE = 65_536; // CHAT__MAX_BODY_CHARS, unless it was changed: then the server says so

export class ConversationView {
  #nothing = byId("nothing-open");
  #whole = byId("chat");
  #title = byId("chat-title");
  #members = byId("chat-members");
  #addPeople = byId("add-people");
  #showPinned = byId("show-pinned");
  #typing = byId("typing");
  #composer = byId("composer");
  #body = byId("body");
  #replying = byId("replying");
  #mayNotWrite = byId("may-not-write");
  #pinned;
  #log;
  #actions;
  #chat = null;
  #drafts = new Map(); // chat -> what was written there and not sent

  /** `addPeople(chat)` asks whom to add, `readHistory(chatId)` for older messages. */
  constructor({ actions, addPeople, readHistory }) {
    this.#actions = actions;
    this.#log = new LogView({ actions, readHistory });
    this.#pinned = new PinnedPanel(actions);
    this.#body.maxLength = LONGEST_MESSAGE;
    this.#addPeople.addEventListener("click", () => addPeople(this.#chat));
    this.#showPinned.addEventListener("click", () => actions.togglePinned(this.#chat.id));
    this.#listenToComposer();
    for (const [target, event] of [[window, "focus"], [document, "visibilitychange"]]) {
      target.addEventListener(event, () => this.#log.lookAgain());
    }
  }

  show(state) {
    const chat = state.chats[state.openChat] ?? null;
    if (chat?.id !== this.#chat?.id) this.#swapDrafts(chat);
    this.#chat = chat;
    this.#nothing.hidden = chat !== null;
    this.#whole.hidden = chat === null;
    if (chat === null) return this.#log.clear();
    this.#showHeader(state, chat);
    this.#pinned.show(state, chat);
    this.#log.show(state, chat);
    this.#log.offerLast();
    setText(this.#typing, typingText(typists(state, chat)));
    return this.#showComposer(state, chat);
  }

  /** Give the keyboard to the text, or where one may not write, to the title. */
  focus() {
    (this.#composer.hidden ? this.#title : this.#body).focus();
  }

  /** Give it to the title, so that a phone shows the chat and not its keyboard. */
  focusTitle() {
    this.#title.focus();
  }

  #showHeader(state, chat) {
    setText(this.#title, titleOf(chat, state.user.id));
    const names = chat.members.map((member) => (member.user_id === state.user.id ? "you" : member.name));
    const kind = chat.chat_type === "direct" ? "Direct" : `${chat.members.length} in this ${chat.chat_type}`;
    setText(this.#members, chat.chat_type === "direct" ? kind : `${kind}: ${listed(names)}`);
    this.#addPeople.hidden = chat.chat_type === "direct" || !may(state, chat, "can_invite");
    this.#showPinned.hidden = !may(state, chat, "can_read");
    setAttribute(this.#showPinned, "aria-expanded", String(state.pinned !== null));
  }

  #showComposer(state, chat) {
    const mayWrite = may(state, chat, "can_write");
    this.#composer.hidden = !mayWrite;
    this.#mayNotWrite.hidden = mayWrite;
    setText(this.#mayNotWrite, chat.archived ? "This chat is archived." : "You may read here, not write.");
    const { replyTo } = state;
    const isNew = replyTo !== null && this.#replying.hidden;
    this.#replying.hidden = replyTo === null;
    if (replyTo !== null) setText(byId("replying-to"), `Replying to ${nameOf(chat, replyTo.author_id)}: ${replyTo.body}`);
    if (isNew) this.#body.focus();
  }

  #listenToComposer() {
    this.#composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#body.addEventListener("keydown", (event) => {
      // While an input method composes a word, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#body.addEventListener("input", () => {
      this.#fitHeight();
      if (this.#body.value.trim()) this.#actions.typed(this.#chat.id);
    });
    byId("cancel-reply").addEventListener("click", () => {
      this.#actions.reply(null);
      this.#body.focus();
    });
  }

  #send() {
    const body = this.#body.value;
    if (!body.trim()) return;
    this.#body.value = "";
    this.#fitHeight();
    this.#log.scrollToEnd();
    this.#actions.send(this.#chat.id, body);
    this.#body.focus();
  }

  // As high as its text, up to what style.css allows. (Where field-sizing is known, this changes nothing.)
  #fitHeight() {
    this.#body.style.height = "auto";
    this.#body.style.height = `${this.#body.scrollHeight + 2}px`;
  }

  #swapDrafts(next) {
    if (this.#chat !== null) this.#drafts.set(this.#chat.id, this.#body.value);
    this.#body.value = this.#drafts.get(next?.id) ?? "";
    if (next !== null) requestAnimationFrame(() => this.#fitHeight());
  }
}

class PinnedPanel {
  #panel = byId("pinned");
  #empty = byId("no-pinned");
  #list;

  constructor(actions) {
    this.#list = new KeyedList(byId("pinned-list"), (item) => pinnedRow(item, actions));
  }

  show(state, chat) {
    const messages = state.pinned?.messages ?? [];
    const mayUnpin = may(state, chat, "can_pin");
    this.#panel.hidden = state.pinned === null;
    this.#empty.hidden = state.pinned === null || state.pinned.messages === null || messages.length > 0;
    this.#list.show(
      messages.map((message) => {
        const author = nameOf(chat, message.author_id);
        return { key: message.id, parts: [message.body, author, mayUnpin], message, author, mayUnpin };
      }),
    );
  }
}

function pinnedRow({ message, author, mayUnpin }, actions) {
  const unpin = () => actions.pin(message, false);
  return element(
    "li",
    {},
    element(
      "div",
      {},
      element(
        "p",
        { class: "faint" },
        element("strong", {}, author),
        " · ",
        element("time", { datetime: message.created_at, title: fullTime(message.created_at) }, shortTime(message.created_at)),
      ),
      element("p", { class: "text", dir: "auto" }, message.body),
    ),
    mayUnpin ? element("button", { class: "quiet", type: "button", on: { click: unpin } }, "Unpin") : null,
  );
}

function typingText(names) {
  if (names.length === 0) return "";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}
