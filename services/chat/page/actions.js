// What the user does. Each of these changes the state, asks the server, or both; the views call nothing else.

import { newNonce } from "./client.js";
import { Refused, SignedOut, Unreachable } from "./session.js";

const TYPING_EVERY_MS = 3_000;

export class Actions {
  #store;
  #session;
  #client;
  #typedAt = 0;
  #readUpTo = new Map(); // chat -> message: what was said to be read, so that it is said once

  constructor(store, session, client) {
    this.#store = store;
    this.#session = session;
    this.#client = client;
  }

  /** Post in a chat; what it replies to is in the state. */
  send(chatId, body) {
    const nonce = newNonce();
    const replyToId = this.#store.state.replyTo?.id ?? null;
    this.#store.dispatch({ type: "queued", entry: { nonce, chatId, body, replyToId, at: new Date().toISOString() } });
    this.#client.send(chatId, body, { replyToId, nonce });
    this.#typedAt = 0;
  }

  /** Send a message that was refused once more. Its nonce is the same: should it be there after all, it is that one. */
  retry(entry) {
    this.#store.dispatch({ type: "retried", nonce: entry.nonce });
    this.#client.send(entry.chatId, entry.body, { replyToId: entry.replyToId, nonce: entry.nonce });
  }

  /** Give up a message that was refused. */
  discard(entry) {
    this.#store.dispatch({ type: "discarded", nonce: entry.nonce });
  }

  /** The user has touched the text: the others are told, not more often than they need. */
  typed(chatId) {
    if (Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.#client.typing(chatId);
  }

  /** The user has seen everything up to a message. */
  seen(chatId, messageId) {
    if ((this.#readUpTo.get(chatId) ?? 0) >= messageId) return;
    if (this.#client.read(chatId, messageId)) this.#readUpTo.set(chatId, messageId);
  }

  /** What was said on a socket that is lost may not have arrived. */
  forgetSeen() {
    this.#readUpTo.clear();
  }

  /** Pin a message or unpin it; the event that follows shows it. */
  pin(message, pinned) {
    return this.#tried(() =>
      this.#session.request("POST", `chats/${message.chat_id}/messages/${message.id}/pin`, { pinned }),
    );
  }

  /** Reply to a message with the next one; null: do not. */
  reply(message) {
    this.#store.dispatch({ type: "replying", message });
  }

  /** Open the panel with the pinned messages of a chat, or close it. */
  togglePinned(chatId) {
    this.#store.dispatch(this.#store.state.pinned === null ? { type: "pinned_opened", chatId } : { type: "pinned_closed" });
  }

  /** The id of a new chat; the direct one of two people exists once. Throws what went wrong. */
  async createChat(kind, name, userIds) {
    const body = { chat_type: kind, user_ids: userIds };
    if (kind !== "direct") body.name = name;
    const chat = await this.#session.request("POST", "chats", body);
    this.#store.dispatch({ type: "chat_loaded", chat });
    return chat.id;
  }

  /** Add people to a chat, one after the other. Throws what went wrong; those before it are in. */
  async addMembers(chatId, userIds) {
    for (const userId of userIds) await this.#session.request("POST", `chats/${chatId}/members`, { user_id: userId });
  }

  /** Ids of users by login, which only administrators may look up: {login: id}. Throws what went wrong. */
  async usersByLogin(logins) {
    const query = new URLSearchParams({
      filter: JSON.stringify([["login", "in", logins]]),
      fields: "id,login",
      limit: String(logins.length),
    });
    try {
      const { data } = await this.#session.request("GET", `api/users?${query}`);
      return Object.fromEntries(data.map((user) => [user.login, user.id]));
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 403) throw error;
      const sentence = "Only administrators can look people up by login. Write their numbers: everybody sees his own beside his name.";
      throw new Refused(403, { detail: sentence });
    }
  }

  async #tried(act) {
    try {
      await act();
    } catch (error) {
      if (error instanceof SignedOut) return; // the page shows the sign-in
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#store.dispatch({ type: "notice", notice: error.message });
    }
  }
}
