// The messages of the open chat: scrolling, paging, walking with the keyboard, and noticing what was seen.

import { KeyedList, byId, setText } from "./dom.js";
import { listenToLongTouch } from "./long_touch.js";
import { itemsOf } from "./message_rows.js";
import { may, rows } from "./selectors.js";

const NEAR_PX = 80; // so close to the end counts as being there
const MARGIN_PX = 12; // above the mark where new messages begin
const EARLY_PX = 600; // so close to an end of what is at hand, more is asked for
const FLASH_MS = 1_600;
const STOPS = ".tools button, .reactions button, .quote, .text a, .show-all";

export class LogView {
  #log = byId("log");
  #container = byId("messages");
  #older = byId("older");
  #newer = byId("newer");
  #empty = byId("no-messages");
  #toNewest = byId("to-newest");
  #toNewestCount = byId("to-newest-count");
  #list;
  #actions;
  #menu;
  #readHistory;
  #chat = null;
  #timeline = null;
  #isAtEnd = true;

  /** `readHistory(chatId, part)` asks for what is older ("before") or newer ("after"); `menu` is a MessageMenu. */
  constructor({ actions, menu, readHistory }) {
    this.#actions = actions;
    this.#menu = menu;
    this.#readHistory = readHistory;
    this.#list = new KeyedList(this.#container, (item) => item.make());
    this.#toNewest.addEventListener("click", () => this.toNewest());
    this.#log.addEventListener("scroll", () => this.#scrolled());
    this.#container.addEventListener("keydown", (event) => this.#press(event));
    this.#container.addEventListener("focusin", (event) => this.#select(event.target.closest(".message")));
    listenToLongTouch(this.#container, (target) => this.#touchMenu(target));
    // What comes up from below (a keyboard, a longer text) takes its room from above.
    new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd()).observe(this.#log);
  }

  show(state, chat) {
    const isAnother = chat.id !== this.#chat?.id;
    const timeline = state.timelines[chat.id] ?? null;
    const isFirstPage = timeline?.isLoaded && (isAnother || !this.#timeline?.isLoaded);
    const anchor = isAnother ? null : this.#anchor();
    this.#chat = chat;
    this.#timeline = timeline;
    this.#menu.show(state, chat);

    const shown = timeline === null ? [] : rows(state, chat, timeline);
    this.#list.show(itemsOf(shown, this.#context(state, chat, timeline)));
    this.#older.hidden = !timeline?.isLoaded || timeline.before === null;
    this.#newer.hidden = !timeline?.isLoaded || timeline.after === null;
    this.#empty.hidden = !timeline?.isLoaded || shown.length > 0;
    setText(this.#empty, may(state, chat, "can_write") ? "Nothing was said here yet. Say hello!" : "Nothing was said here yet.");

    if (this.#showTarget(state, chat, timeline)) this.#isAtEnd = this.#distance() < NEAR_PX && timeline.after === null;
    else if (isFirstPage) this.#scrollToBeginning();
    else if (this.#isAtEnd && (timeline?.after ?? null) === null) this.scrollToEnd();
    else this.#keepInPlace(anchor);
    this.#offerNewest();
    this.#readMore();
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

  /** Go to the newest message, wherever that is. */
  toNewest() {
    if ((this.#timeline?.after ?? null) !== null) this.#actions.toNewest(this.#chat.id);
    this.scrollToEnd();
  }

  /** Say that the messages on the screen were read, if somebody looks at them. */
  lookAgain() {
    this.#lookForSeen();
  }

  /** Give the keyboard to a message, if it is there. */
  focusMessage(messageId) {
    this.#list.get(messageId)?.focus({ preventScroll: true });
  }

  /** Let Tab find the last message, as long as none has been chosen. */
  offerLast() {
    if (this.#container.querySelector('.message[tabindex="0"]') !== null) return;
    const messages = this.#container.querySelectorAll(".message");
    if (messages.length > 0) messages[messages.length - 1].tabIndex = 0;
  }

  #context(state, chat, timeline) {
    return {
      ...{ state, chat, actions: this.#actions, mayWrite: may(state, chat, "can_write") },
      byMessageId: new Map(timeline?.messages.map((message) => [message.id, message])),
      openMenu: (message, anchor, isReacting) => this.#menu.open(message, anchor, isReacting),
    };
  }

  // -- where one is

  // The first message on the screen, and where: it stays there, whatever comes or changes above it.
  #anchor() {
    const top = this.#log.getBoundingClientRect().top;
    const first = this.#timeline?.messages.find((message) => (this.#list.get(message.id)?.getBoundingClientRect().bottom ?? top) > top);
    return first ? { id: first.id, top: this.#list.get(first.id).getBoundingClientRect().top } : null;
  }

  #keepInPlace(anchor) {
    const row = anchor && this.#list.get(anchor.id);
    if (row) this.#log.scrollTop += row.getBoundingClientRect().top - anchor.top;
  }

  // A chat is opened where its new messages begin, else at its end.
  #scrollToBeginning() {
    this.scrollToEnd();
    const mark = this.#list.get("unread");
    if (mark) this.#log.scrollTop += mark.getBoundingClientRect().top - this.#log.getBoundingClientRect().top - MARGIN_PX;
    this.#isAtEnd = this.#distance() < NEAR_PX;
  }

  // The message that was asked for, in the middle. Whether it was there to be shown.
  #showTarget({ target }, chat, timeline) {
    if (target?.chatId !== chat.id || !timeline?.isLoaded) return false;
    const row = this.#list.get(target.messageId);
    if (!row && !target.isSought) return false; // it is asked for now
    this.#actions.jumped();
    if (!row) return false;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), FLASH_MS);
    return true;
  }

  #distance() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
  }

  #scrolled() {
    this.#isAtEnd = this.#distance() < NEAR_PX && (this.#timeline?.after ?? null) === null;
    this.#readMore();
    this.#offerNewest();
    this.#lookForSeen();
  }

  #readMore() {
    if (!this.#timeline?.isLoaded) return;
    if (this.#log.scrollTop < EARLY_PX && this.#timeline.before !== null) this.#readHistory(this.#chat.id, "before");
    else if (this.#distance() < EARLY_PX && this.#timeline.after !== null) this.#readHistory(this.#chat.id, "after");
  }

  #offerNewest() {
    const unread = this.#chat?.unread_count ?? 0;
    this.#toNewest.hidden = this.#isAtEnd;
    this.#toNewestCount.hidden = unread === 0;
    setText(this.#toNewestCount, unread > 99 ? "99+" : String(unread));
  }

  // Seen is what stands on the screen while the page has the attention; in a long backlog that is the last message
  // that was scrolled to, not the last one that there is.
  #lookForSeen() {
    if (this.#chat === null || !this.#timeline?.isLoaded || !document.hasFocus() || document.hidden) return;
    if (this.#chat.unread_count === 0 || this.#log.offsetParent === null) return;
    const bottom = this.#log.getBoundingClientRect().bottom;
    const seen = this.#timeline.messages.findLast((message) => {
      const row = this.#list.get(message.id);
      return this.#isAtEnd || (row !== undefined && row.getBoundingClientRect().bottom <= bottom + 1);
    });
    if (seen) this.#actions.seen(this.#chat.id, seen.id);
  }

  // -- the keyboard: the messages are one stop for Tab, and within it the arrows walk

  #press(event) {
    const here = document.activeElement;
    if (!here.classList.contains("message") || event.altKey || event.ctrlKey || event.metaKey) return;
    const messages = [...this.#container.querySelectorAll(".message")];
    const at = messages.indexOf(here);
    const there = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: messages.length - 1 }[event.key];
    const message = this.#messageOf(here);
    if (there !== undefined) messages[there]?.focus();
    else if (!message || !this.#menu.press(event, message, here.querySelector(".bubble"))) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Where there is no mouse, a long touch opens what hovering would show.
  #touchMenu(target) {
    const row = target.closest(".message");
    const message = row && this.#messageOf(row);
    if (!message || message.deleted_at !== null || document.querySelector("dialog[open]")) return;
    this.#menu.open(message, row);
  }

  #messageOf(row) {
    return this.#timeline?.messages.find((one) => one.id === Number(row.dataset.message));
  }

  // Only what can be pressed in the message that has the focus is a stop, or there would be hundreds of them.
  #select(message) {
    if (message === null) return;
    for (const one of this.#container.querySelectorAll('[tabindex="0"]')) one.tabIndex = -1;
    message.tabIndex = 0;
    for (const stop of message.querySelectorAll(STOPS)) stop.tabIndex = 0;
  }
}
