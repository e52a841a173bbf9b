// Where the user is in the stream of each of his chats: each event is told once and in order, and a gap is mended.

export class Streams {
  #say;
  #tell;
  #seqs = new Map(); // chat -> seq of the last event that was told: what `since` is made of
  #followed = new Set(); // chats that this socket is subscribed to
  #mending = new Set(); // chats in which a gap was seen, and the missing events asked for

  /** `say(frame)` sends on the socket, `tell(notice)`: see client.js. */
  constructor({ say, tell }) {
    this.#say = say;
    this.#tell = tell;
  }

  /** Follow every chat on a new socket, each from where it was. */
  resume() {
    this.#followed.clear();
    this.#mending.clear();
    this.#say({ type: "subscribe_all", since: Object.fromEntries(this.#seqs) });
  }

  /** Every chat is followed that there is: the others are gone. */
  settle() {
    for (const chatId of this.#seqs.keys()) {
      if (this.#followed.has(chatId)) continue;
      this.#seqs.delete(chatId);
      this.#tell({ type: "gone", chatId });
    }
  }

  /** Forget all places. */
  clear() {
    this.#seqs.clear();
  }

  /** The server follows a chat for us. */
  subscribed({ chat_id: chatId, seq, presence }) {
    this.#followed.add(chatId);
    if (!this.#seqs.has(chatId)) this.#seqs.set(chatId, seq);
    this.#tell({ type: "present", chatId, userIds: presence });
  }

  /** Events are missing for good; the stream goes on from here. */
  reset({ chat_id: chatId, seq }) {
    this.#mending.delete(chatId);
    this.#seqs.set(chatId, seq);
    this.#tell({ type: "reset", chatId, seq });
  }

  /** An event, whatever came before it. `me` is the user. */
  hear(event, me) {
    const { chat_id: chatId, seq } = event;
    if (seq === undefined) return this.#tell({ type: "event", event }); // typing, presence: no place in the stream
    const last = this.#seqs.get(chatId);
    if (last !== undefined && seq <= last) return undefined; // at least once, says the server; once, say we
    if (last !== undefined && seq > last + 1) return this.#mend(chatId, last);
    this.#mending.delete(chatId);
    this.#seqs.set(chatId, seq);
    this.#tell({ type: "event", event });
    if (event.type === "member_removed" && event.user_id === me) return this.#forget(chatId);
    // A chat that was joined just now is followed already; asking for it tells who of it is online.
    if (!this.#followed.has(chatId)) this.#say({ type: "subscribe", chat_id: chatId, since: seq, ref: "subscribe" });
    this.#followed.add(chatId);
    return undefined;
  }

  // The last event of a chat that the user is not in any more. Should he join again, it begins anew.
  #forget(chatId) {
    this.#followed.delete(chatId);
    this.#seqs.delete(chatId);
  }

  // The server promises that there are no gaps. Should there be one, the missing events are asked for, once, and
  // those behind the gap come again after them.
  #mend(chatId, last) {
    if (this.#mending.has(chatId)) return;
    this.#mending.add(chatId);
    this.#say({ type: "subscribe", chat_id: chatId, since: last });
  }
}
