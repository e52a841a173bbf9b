// What has to be asked of the server, found by looking at the state: the reducer says what is missing, this reads it.
// Each thing is asked for once at a time, and again later if the server could not be reached.

import { Refused, SignedOut } from "./session.js";

const AGAIN_MS = 2_000;
const HISTORY_PAGE = 50;
const CHAT_PAGE = 100;

export class Effects {
  #store;
  #session;
  #underWay = new Set();
  #requests = 0;
  #era = 0; // grows when the user changes: what was asked for the one before is not for the next

  constructor(store, session) {
    this.#store = store;
    this.#session = session;
  }

  /** Ask for whatever the state lacks now. */
  look() {
    const { state } = this.#store;
    if (state.user === null || !state.isListed) return;
    for (const chatId of Object.keys(state.stale)) this.#readChat(Number(chatId));
    const { openChat, pinned } = state;
    if (openChat !== null && !(openChat in state.chats)) this.#readChat(openChat);
    else if (openChat !== null && !state.timelines[openChat]) this.readHistory(openChat);
    if (pinned?.isStale) this.#readPinned(pinned.chatId);
  }

  /** Nothing that is under way counts any more. */
  forget() {
    this.#era += 1;
    this.#underWay.clear();
  }

  /** Read the list of chats: its beginning, or what follows `after`. */
  readList(after = null) {
    const query = new URLSearchParams({ limit: CHAT_PAGE, ...(after === null ? {} : { after }) });
    this.#once(`list ${after ?? ""}`, () => this.readList(after), async () => {
      const { data, next } = await this.#session.request("GET", `chats?${query}`);
      return { type: "chats_loaded", chats: data, next, isFirst: after === null };
    });
  }

  /** Read the newest messages of a chat, or what is older than those that are known. */
  readHistory(chatId) {
    const timeline = this.#store.state.timelines[chatId];
    if (timeline && (timeline.request !== null || timeline.before === null)) return;
    const request = ++this.#requests;
    const query = new URLSearchParams({ limit: HISTORY_PAGE, ...(timeline ? { before: timeline.before } : {}) });
    const failed = () => this.#store.dispatch({ type: "history_failed", chatId, request });
    this.#store.dispatch({ type: "history_requested", chatId, request });
    this.#once(`history ${request}`, failed, async () => {
      const path = `chats/${chatId}/messages?${query}`;
      const { data, next } = await this.#readOr({ data: [], next: null }, path);
      return { type: "history_loaded", chatId, request, messages: data, next };
    });
  }

  #readChat(chatId) {
    this.#once(`chat ${chatId}`, () => this.look(), async () => {
      try {
        return { type: "chat_loaded", chat: await this.#session.request("GET", `chats/${chatId}`) };
      } catch (error) {
        if (!isFinal(error)) throw error;
        return { type: "chat_gone", chatId };
      }
    });
  }

  #readPinned(chatId) {
    if (this.#underWay.has(`pinned ${chatId}`)) return;
    this.#store.dispatch({ type: "pinned_requested" });
    const failed = () => this.#store.dispatch({ type: "pinned_failed", chatId });
    this.#once(`pinned ${chatId}`, failed, async () => {
      const { data } = await this.#readOr({ data: [] }, `chats/${chatId}/pinned`);
      return { type: "pinned_loaded", chatId, messages: data };
    });
  }

  // What is refused for good is shown as missing, with the reason; asking again would not help.
  async #readOr(nothing, path) {
    try {
      return await this.#session.request("GET", path);
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.#store.dispatch({ type: "notice", notice: error.message });
      return nothing;
    }
  }

  // `ask` gives the action to dispatch. When it fails in passing, `failed` is called after a pause.
  async #once(key, failed, ask) {
    if (this.#underWay.has(key)) return;
    const era = this.#era;
    this.#underWay.add(key);
    try {
      const action = await ask();
      if (era !== this.#era) return;
      this.#underWay.delete(key);
      this.#store.dispatch(action);
      this.look(); // the answer may have been too old to change anything
    } catch (error) {
      if (error instanceof SignedOut) return; // the page shows the sign-in
      await pause(AGAIN_MS);
      if (era !== this.#era) return;
      this.#underWay.delete(key);
      failed();
      console.warn(`asking again for ${key}:`, error);
    }
  }
}

function isFinal(error) {
  return error instanceof Refused && error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 401;
}

function pause(delayMs) {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
