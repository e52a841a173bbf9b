// The messages of the open chat: scrolling, paging upwards, walking with the keyboard, and noticing what was seen.

import { KeyedList, byId, setText } from "./dom.js";
import { itemsOf } from "./message_rows.js";
import { may, rows } from "./selectors.js";

const NEAR_PX = 80; // so close to the end counts as being there
const MARGIN_PX = 12; // above the mark where new messages begin
const EARLY_PX = 300; // so close to the top, older messages are asked for

export class LogView {
  #log = byId("log");
  #container = byId("messages");
  #older = byId("older");
  #empty = byId("no-messages");
  #toNewest = byId("to-newest");
  #list;
  #actions;
  #readHistory;
  #chat = null;
  #timeline = null;
  #isAtEnd = true;

  /** `readHistory(chatId)` asks for what is older. */
  constructor({ actions, readHistory }) {
    this.#actions = actions;
    this.#readHistory = readHistory;
    this.#list = new KeyedList(this.#container, (item) => item.make());
    this.#older.addEventListener("click", () => this.#readOlder());
    this.#toNewest.addEventListener("click", () => this.scrollToEnd());
    this.#log.addEventListener("scroll", () => this.#scrolled());
    this.#container.addEventListener("keydown", (event) => this.#walk(event));
    this.#container.addEventListener("focusin", (event) => this.#select(event.target.closest(".message")));
    // What comes up from below (a keyboard, a longer text) takes its room from above.
    new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd()).observe(this.#log);
  }

  show(state, chat) {
    const isAnother = chat.id !== this.#chat?.id;
    const timeline = state.timelines[chat.id] ?? null;
    const isFirstPage = timeline?.isLoaded && (isAnother || !this.#timeline?.isLoaded);
    const fromEnd = this.#log.scrollHeight - this.#log.scrollTop;
    const grewAbove = !isAnother && timeline?.messages[0]?.id !== this.#timeline?.messages[0]?.id;
    this.#chat = chat;
    this.#timeline = timeline;

    const shown = timeline === null ? [] : rows(state, chat, timeline);
    const byMessageId = new Map(timeline?.messages.map((message) => [message.id, message]));
    const context = {
      chat,
      byMessageId,
      actions: this.#actions,
      mayPin: may(state, chat, "can_pin"),
      mayWrite: may(state, chat, "can_write"),
    };
    this.#list.show(itemsOf(shown, context));
    this.#older.hidden = !timeline?.isLoaded || timeline.before === null;
    this.#empty.hidden = !timeline?.isLoaded || shown.length > 0;

    if (isFirstPage) this.#scrollToBeginning();
    else if (this.#isAtEnd) this.scrollToEnd();
    else if (grewAbove) this.#log.scrollTop = this.#log.scrollHeight - fromEnd;
    this.#offerNewest();
    this.#lookForSeen();
  }

  /** Nothing is open. */
  clear() {
    this.#chat = this.#timeline = null;
    this.#list.show([]);
  }

  scrollToEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#isAtEnd = true;
  }

  /** Say that the messages on the screen were read, if somebody looks at them. */
  lookAgain() {
    this.#lookForSeen();
  }

  // A chat is opened where its new messages begin, else at its end.
  #scrollToBeginning() {
    this.scrollToEnd();
    const mark = this.#list.get("unread");
    if (mark) this.#log.scrollTop += mark.getBoundingClientRect().top - this.#log.getBoundingClientRect().top - MARGIN_PX;
    this.#isAtEnd = this.#distance() < NEAR_PX;
  }

  #distance() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
  }

  #scrolled() {
    this.#isAtEnd = this.#distance() < NEAR_PX;
    if (this.#log.scrollTop < EARLY_PX) this.#readOlder();
    this.#offerNewest();
    this.#lookForSeen();
  }

  #readOlder() {
    if (this.#timeline?.isLoaded) this.#readHistory(this.#chat.id);
  }

  #offerNewest() {
    this.#toNewest.hidden = this.#isAtEnd;
    const unread = this.#chat?.unread_count ?? 0;
    setText(this.#toNewest, unread > 0 ? `${unread} new ↓` : "To the newest ↓");
  }

  // Seen is what stands on the screen while the page has the attention; in a long backlog that is the last message
  // that was scrolled to, not the last one that there is.
  #lookForSeen() {
    if (this.#chat === null || !this.#timeline?.isLoaded || !document.hasFocus() || document.hidden) return;
    if (this.#chat.unread_count === 0) return;
    const bottom = this.#log.getBoundingClientRect().bottom;
    const seen = this.#timeline.messages.findLast((message) => {
      const row = this.#list.get(message.id);
      return this.#isAtEnd || (row !== undefined && row.getBoundingClientRect().bottom <= bottom + 1);
    });
    if (seen) this.#actions.seen(this.#chat.id, seen.id);
  }

  // -- the keyboard: the messages are one stop for Tab, and within it the arrows walk

  #walk(event) {
    const messages = [...this.#container.querySelectorAll(".message")];
    const here = messages.indexOf(document.activeElement);
    const there = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: messages.length - 1 }[event.key];
    if (here < 0 || there === undefined) return;
    event.preventDefault();
    if (there < 0) this.#readOlder();
    messages[there]?.focus();
  }

  // Only the buttons of the message that has the focus are stops, or there would be hundreds of them.
  #select(message) {
    if (message === null) return;
    for (const one of this.#container.querySelectorAll('[tabindex="0"]')) one.tabIndex = -1;
    message.tabIndex = 0;
    for (const button of message.querySelectorAll(".actions button")) button.tabIndex = 0;
  }

  /** Let Tab find the last message, as long as none has been chosen. */
  offerLast() {
    if (this.#container.querySelector('[tabindex="0"]') !== null) return;
    const messages = this.#container.querySelectorAll(".message");
    if (messages.length > 0) messages[messages.length - 1].tabIndex = 0;
  }
}
