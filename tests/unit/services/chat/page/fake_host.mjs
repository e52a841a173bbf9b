// What a browser has, made for tests: sockets that are played by hand, and time that passes when told.

export class FakeHost {
  sockets = [];
  now = 0;
  #timers = [];
  #nextTimer = 1;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class {
      readyState = 0;
      said = [];
      closedWith = null;
      constructor(url, protocols) {
        Object.assign(this, { url, protocols });
        sockets.push(this);
      }
      send(text) {
        this.said.push(JSON.parse(text));
      }
      close(code) {
        this.readyState = 2; // closing, and perhaps for a long time
        this.closedWith = code;
      }
    };
  }

  random = () => 0.5;
  setTimeout = (then, delay) => {
    this.#timers.push({ id: this.#nextTimer, at: this.now + delay, then });
    return this.#nextTimer++;
  };
  clearTimeout = (id) => {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  };

  /** Let time pass, and whatever is due happen. */
  async pass(delayMs) {
    const end = this.now + delayMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.clearTimeout(due.id);
      this.now = due.at;
      due.then();
      await settled();
    }
    this.now = end;
  }

  /** The delays of what is still to happen, shortest first. */
  get waits() {
    return this.#timers.map((timer) => timer.at - this.now).sort((one, other) => one - other);
  }

  get socket() {
    return this.sockets.at(-1);
  }
}

/** Everything that was promised has happened. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await null;
}
