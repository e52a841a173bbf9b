// Messages on their way: each is said until the server acknowledges or refuses it, one at a time, so that they keep
// their order also when they are said again on another socket.

import { WITH_BACKOFF, delayBefore } from "./close_codes.js";

export class Sending {
  #say;
  #tell;
  #host;
  #isLive = false;
  #frames = new Map(); // nonce -> frame, in the order of `add`
  #inFlight = null;
  #resting = null;
  #restAttempt = 0;

  /** `say(frame)` sends on the socket, `tell(notice)` tells what became of a message; `host`: see client.js. */
  constructor({ say, tell, host }) {
    this.#say = say;
    this.#tell = tell;
    this.#host = host;
  }

  /** How many wait for their acknowledgement. */
  get count() {
    return this.#frames.size;
  }

  /** Say this message, now or as soon as possible. */
  add(frame) {
    this.#frames.set(frame.nonce, frame);
    this.#pump();
  }

  /** There is a connection that can be spoken on. */
  begin() {
    this.#isLive = true;
    this.#pump();
  }

  /** There is none any more: what was not acknowledged is said again on the next one. */
  pause() {
    this.#isLive = false;
    this.#inFlight = null;
  }

  /** Forget everything. */
  clear() {
    this.pause();
    this.#host.clearTimeout(this.#resting);
    this.#resting = null;
    this.#frames.clear();
  }

  /** The server has stored a message. */
  acknowledged({ nonce, message_id: messageId, seq }) {
    this.#restAttempt = 0;
    this.#settle(nonce, { type: "sent", nonce, messageId, seq });
  }

  /** Whether an error is about one of these messages; if it is a passing one, the message is said again later. */
  refused({ problem, ref }) {
    if (!this.#frames.has(ref)) return false;
    const isPassing = problem.status >= 500 || problem.status === 429;
    if (isPassing) this.#rest();
    else this.#settle(ref, { type: "refused", nonce: ref, problem });
    return true;
  }

  #rest() {
    this.#inFlight = null;
    this.#resting = this.#host.setTimeout(
      () => {
        this.#resting = null;
        this.#pump();
      },
      delayBefore(WITH_BACKOFF, this.#restAttempt++, this.#host.random),
    );
  }

  #settle(nonce, notice) {
    if (this.#inFlight === nonce) this.#inFlight = null;
    if (this.#frames.delete(nonce)) this.#tell(notice);
    this.#pump();
  }

  #pump() {
    if (!this.#isLive || this.#inFlight !== null || this.#resting !== null) return;
    const next = this.#frames.values().next();
    if (next.done) return;
    this.#inFlight = next.value.nonce;
    this.#say(next.value);
  }
}
