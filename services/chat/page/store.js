// Holds the state, and tells who looks at it when it changed.

import { reduce } from "./state.js";

export class Store {
  #watchers = [];
  #isTold = true;

  constructor(state) {
    this.state = state;
  }

  /** Change the state. The watchers are called soon, once for all that happened until then. */
  dispatch(action) {
    const next = reduce(this.state, action);
    if (next === this.state) return;
    this.state = next;
    if (!this.#isTold) return;
    this.#isTold = false;
    queueMicrotask(() => {
      this.#isTold = true;
      for (const watcher of this.#watchers) watcher(this.state);
    });
  }

  /** Call `watcher` with the state after each change. */
  watch(watcher) {
    this.#watchers.push(watcher);
  }
}
