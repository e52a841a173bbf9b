// What the user does with messages. Each of these changes the state, asks the server, or both; the views call nothing
// else. What the server refuses is said in its words.

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
    this.#store.dispatch({ type: "newest_wanted", chatId });
    this.#store.dispatch({ type: "queued", entry: { nonce, chatId, body, replyToId, at: new Date().toISOString() } });
    this.#client.send(chatId, body, { replyToId, nonce });
    this.#typedAt = 0;
  }

  /** Go on with messages that were waiting before the page was loaded. Those that were refused wait for the user. */
  resend(entries) {
    for (const entry of entries) {
      this.#store.dispatch({ type: "requeued", entry });
      if (entry.failure === null) this.#client.send(entry.chatId, entry.body, entry);
    }
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

  /** What stands now where the user writes: a draft of the chat, or what the edited message is to become. */
  draft(chatId, text) {
    this.#store.dispatch({ type: "drafted", chatId, text });
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

  /** Reply to a message with the next one; null: do not. */
  reply(message) {
    this.#store.dispatch({ type: "replying", message });
  }

  /** Write a message anew; null: leave it as it is. */
  beginEdit(message) {
    this.#store.dispatch({ type: "editing", message });
  }

  /** Show a message where it stands, with what is around it. */
  jump(chatId, messageId) {
    this.#store.dispatch({ type: "target_set", chatId, messageId });
  }

  /** The message that was to be shown is on the screen. */
  jumped() {
    this.#store.dispatch({ type: "target_shown" });
  }

  /** Go back to the newest messages, when others are shown. */
  toNewest(chatId) {
    this.#store.dispatch({ type: "newest_wanted", chatId });
  }

  /** A message was written anew. By now another chat may be open. */
  endEdit(message) {
    this.#store.dispatch({ type: "edit_done", message });
  }

  // The event that follows shows what became of these. Each resolves to whether it was done.

  edit(message, body) {
    return this.tried(() => this.#session.request("PATCH", pathOf(message), { body }));
  }

  remove(message) {
    return this.tried(() => this.#session.request("DELETE", pathOf(message)));
  }

  pin(message, pinned) {
    return this.tried(() => this.#session.request("POST", `${pathOf(message)}/pin`, { pinned }));
  }

  react(message, emoji) {
    return this.tried(() => this.#session.request("POST", `${pathOf(message)}/reactions`, { emoji }));
  }

  forward(message, chatId) {
    return this.tried(() => this.#session.request("POST", `${pathOf(message)}/forward`, { chat_id: chatId }));
  }

  /** What a message says and said before, newest first: [{body, at}]. Throws what went wrong. */
  async versions(message) {
    return (await this.#session.request("GET", `${pathOf(message)}/history`)).data;
  }

  /** Do something, and say what went wrong, if it did. Whether it was done. */
  async tried(act) {
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof SignedOut) return false; // the page shows the sign-in
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.#store.dispatch({ type: "notice", notice: error.message });
      return false;
    }
  }

  /** Say something to the user. */
  say(notice) {
    this.#store.dispatch({ type: "notice", notice });
  }
}

function pathOf(message) {
  return `chats/${message.chat_id}/messages/${message.id}`;
}
