// What has to be asked of the server, found by looking at the state: the reducer says what is missing, this reads it.
// Each thing is asked for once at a time, and again later if the server could not be reached.

import { Refused, SignedOut } from "./session.js";
import { strangers } from "./selectors.js";

const AGAIN_MS = 2_000;
const HISTORY_PAGE = 50;
const AROUND_PAGE = 30;
const CHAT_PAGE = 100;
const MOST_PEOPLE = 200; // so many ids go into one address

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
    else if (openChat !== null) this.#lookAtMessages(state, openChat);
    if (pinned?.isStale) this.#readPinned(pinned.chatId);
    this.#readPeople(strangers(state).slice(0, MOST_PEOPLE));
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

  /** Read the newest messages of a chat, or with those that are known, what is older ("before") or newer ("after"). */
  readHistory(chatId, part = "before") {
    const timeline = this.#store.state.timelines[chatId];
    if (timeline && (timeline.request !== null || timeline[part] === null)) return;
    this.#readPage(chatId, part, () => {
      const query = new URLSearchParams({ limit: HISTORY_PAGE, ...(timeline ? { [part]: timeline[part] } : {}) });
      return this.#readOr({ data: [], next: null }, `chats/${chatId}/messages?${query}`);
    });
  }

  #lookAtMessages({ timelines, target }, chatId) {
    const timeline = timelines[chatId];
    const isSought = target?.chatId === chatId && !target.isSought && (timeline?.isLoaded ?? true);
    if (isSought && !timeline?.messages.some((one) => one.id === target.messageId)) {
      this.#store.dispatch({ type: "target_sought" });
      this.#readAround(chatId, target.messageId);
    } else if (!timeline) {
      this.readHistory(chatId);
    }
  }

  // The message, with what was said before it and after it.
  #readAround(chatId, messageId) {
    this.#readPage(chatId, "around", async () => {
      const path = (query) => `chats/${chatId}/messages?${new URLSearchParams({ limit: AROUND_PAGE, ...query })}`;
      const [older, newer] = await Promise.all([
        this.#readOr({ data: [], next: null }, path({ before: messageId + 1 })),
        this.#readOr({ data: [], next: null }, path({ after: messageId })),
      ]);
      return { data: [...newer.data, ...older.data], next: older.next, newer: newer.next };
    });
  }

  #readPage(chatId, part, ask) {
    const request = ++this.#requests;
    const failed = () => this.#store.dispatch({ type: "history_failed", chatId, request });
    this.#store.dispatch({ type: "history_requested", chatId, request, part });
    this.#once(`history ${request}`, failed, async () => {
      const { data, next, newer } = await ask();
      return { type: "history_loaded", chatId, request, part, messages: data, next, newer };
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

  // Logins, and the names of those who left. Who may not look people up does without.
  #readPeople(userIds) {
    if (userIds.length === 0) return;
    this.#once("people", () => this.look(), async () => {
      const query = new URLSearchParams({
        filter: JSON.stringify([["id", "in", userIds]]),
        fields: "id,login,name",
        limit: String(MOST_PEOPLE),
      });
      try {
        const { data } = await this.#session.request("GET", `api/users?${query}`);
        return { type: "people_loaded", userIds, users: data };
      } catch (error) {
        if (!isFinal(error)) throw error;
        return { type: "people_loaded", userIds, users: [] };
      }
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
