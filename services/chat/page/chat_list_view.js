// The list of chats, with what was said last and how much is unread; those that are archived apart from the others.

import { chatItems, chatRow } from "./chat_rows.js";
import { KeyedList, byId, setText } from "./dom.js";
import { sortedChats } from "./selectors.js";

export class ChatListView {
  #container = byId("chats");
  #list = new KeyedList(byId("chats"), chatRow);
  #archived = new KeyedList(byId("archived"), chatRow);
  #archive = byId("archive");
  #more = byId("more-chats");
  #empty = byId("no-chats");

  /** `readMore()` asks for the rest of the list. */
  constructor({ readMore }) {
    this.#more.addEventListener("click", readMore);
    for (const id of ["chats", "archived", "found"]) byId(id).addEventListener("keydown", walk);
  }

  show(state) {
    const items = chatItems(state, sortedChats(state));
    const [open, archived] = [false, true].map((isArchived) => items.filter(({ shown }) => shown.chat.archived === isArchived));
    this.#list.show(open);
    this.#archived.show(archived);
    this.#archive.hidden = archived.length === 0;
    setText(byId("archive-title"), `Archived (${archived.length})`);
    this.#more.hidden = state.nextPage === null;
    this.#empty.hidden = !state.isListed || items.length > 0;
  }

  /** Give the keyboard to a chat of the list, or to the first one. */
  focus(chatId) {
    const row = this.#list.get(chatId) ?? this.#container.firstElementChild;
    (row?.querySelector("a") ?? byId("new-chat")).focus();
  }
}

// Up and Down walk through the list, Home and End to its ends.
function walk(event) {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const here = links.indexOf(document.activeElement);
  const there = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: links.length - 1 }[event.key];
  if (here < 0 || there === undefined || event.altKey) return;
  event.preventDefault();
  if (there < 0) byId("seek").focus();
  else links[there]?.focus();
}
