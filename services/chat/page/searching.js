// Asking for what is searched: a moment after the last key, and only the newest question counts.

import { Refused, SignedOut, Unreachable } from "./session.js";

const PAUSE_MS = 250;
const PAGE = 30;
const MOST_CHATS = 10;

export class Searching {
  #store;
  #session;
  #timer = null;
  #requests = 0;

  constructor(store, session) {
    this.#store = store;
    this.#session = session;
  }

  /** Search in one chat, or with null in all of them. */
  open(chatId) {
    this.#store.dispatch({ type: "search_opened", chatId });
    this.#ask();
  }

  /** The text has changed. */
  type(text) {
    this.#store.dispatch({ type: "search_text", text });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  /** Look in that chat only, or with null in all of them. */
  within(chatId) {
    this.#store.dispatch({ type: "search_scope", chatId });
    this.#ask();
  }

  /** Read what was found after what is shown. */
  more() {
    const { search } = this.#store.state;
    if (search?.next && search.request === null) this.#read(search, search.next);
  }

  close() {
    clearTimeout(this.#timer);
    this.#store.dispatch({ type: "search_closed" });
  }

  #ask() {
    const { search } = this.#store.state;
    if (search?.text.trim()) this.#read(search, null);
  }

  async #read({ text, chatId }, before) {
    const request = ++this.#requests;
    this.#store.dispatch({ type: "search_requested", request });
    const q = text.trim();
    const query = new URLSearchParams({ q, limit: PAGE });
    if (chatId !== null) query.set("chat_id", chatId);
    if (before !== null) query.set("before", before);
    try {
      if (before === null && chatId === null) await this.#readChats(q, request);
      const { data, next } = await this.#session.request("GET", `chats/search?${query}`);
      this.#store.dispatch({ type: "search_loaded", request, messages: data, next, isMore: before !== null });
    } catch (error) {
      if (error instanceof SignedOut) return; // the page shows the sign-in
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#store.dispatch({ type: "search_failed", request, sentence: error.message });
    }
  }

  // The list on the screen may not be whole: the server knows all the chats that are called so.
  async #readChats(q, request) {
    const { data } = await this.#session.request("GET", `chats?${new URLSearchParams({ q, limit: MOST_CHATS })}`);
    const chats = data.filter((chat) => !(chat.id in this.#store.state.chats));
    for (const chat of chats) this.#store.dispatch({ type: "chat_loaded", chat });
    this.#store.dispatch({ type: "search_chats", request, chatIds: data.map((chat) => chat.id) });
  }
}
