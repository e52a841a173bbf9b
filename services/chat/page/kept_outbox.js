// Messages that wait are kept over a reload, each user's apart: with their nonces, so that they are sent once.

import { storageOf } from "./kept_session.js";

const KEPT_AS = "starling.outbox";

export class KeptOutbox {
  #place;
  #saved = null;

  constructor(host = globalThis) {
    this.#place = storageOf(host, "sessionStorage");
  }

  /** What this user has still to send: entries as in outbox_state.js. */
  read(userId) {
    try {
      const { userId: owner, entries } = JSON.parse(this.#place.getItem(KEPT_AS));
      return owner === userId ? entries : [];
    } catch {
      return []; // nothing, or nothing of ours
    }
  }

  /** Keep what is waiting now. Too much for the browser is kept in the page only. */
  save(userId, entries) {
    if (entries === this.#saved) return;
    this.#saved = entries;
    try {
      if (entries.length === 0) this.#place.removeItem(KEPT_AS);
      else this.#place.setItem(KEPT_AS, JSON.stringify({ userId, entries }));
    } catch (error) {
      console.warn("messages that wait are not kept over a reload:", error);
    }
  }
}
