// Where the refresh token is kept, so that a reload does not ask for the password again. The access token never is.
//
// What was weighed. A cookie that scripts cannot read would need routes of its own and a defence against forged
// requests, and the API takes bearer tokens. Memory alone asks for the password after each reload, and whenever a phone
// drops a tab. So the user chooses: with "Stay signed in" it is localStorage, which all tabs share and which outlives
// the browser; without, sessionStorage, which is this tab's alone and gone with it. A script that ran in this page
// could read either: the Content-Security-Policy and trusted types keep foreign ones out, and the token itself is good
// for one use, so that a stolen one ends the session for both. It is kept with the id of its user: a tab never goes on
// with the token of somebody else who signed in at another one.

const KEPT_AS = "starling.session";

export class KeptSession {
  #places; // [of this tab, of all tabs]
  #place = null;

  /** `host` has sessionStorage and localStorage, either of which a browser may refuse to give. */
  constructor(host) {
    this.#places = ["sessionStorage", "localStorage"].map((name) => storageOf(host, name));
    this.#place = this.#places.find((place) => readFrom(place) !== null) ?? null;
  }

  /** The storage that the session is kept in, and what belongs to it; null while nobody is signed in. */
  get place() {
    return this.#place;
  }

  /** {userId, token} as last kept, by whichever tab; null when there is none. */
  read() {
    return this.#place === null ? null : readFrom(this.#place);
  }

  /** Keep the first token of a session. `isLasting`: for all tabs, and after the browser was closed. */
  begin(kept, isLasting) {
    this.#place = this.#places[isLasting ? 1 : 0];
    this.#place.setItem(KEPT_AS, JSON.stringify(kept));
  }

  /** Keep the next one, unless somebody else's is there. */
  renew(kept) {
    if (this.read()?.userId === kept.userId) this.#place.setItem(KEPT_AS, JSON.stringify(kept));
  }

  /** Keep nothing of this user any more. */
  forget(userId) {
    if (userId === null || this.read()?.userId === userId) this.#place?.removeItem(KEPT_AS);
    this.#place = null;
  }
}

/** One of the browser's storages; where it refuses, one that lasts as long as the page. */
export function storageOf(host, name) {
  try {
    host[name].getItem(KEPT_AS); // some give it and refuse its use
    return host[name];
  } catch {
    const values = new Map();
    return {
      get length() {
        return values.size;
      },
      key: (index) => [...values.keys()][index] ?? null,
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => void values.set(key, value),
      removeItem: (key) => void values.delete(key),
    };
  }
}

function readFrom(place) {
  try {
    const { userId, token } = JSON.parse(place.getItem(KEPT_AS));
    return typeof token === "string" ? { userId, token } : null;
  } catch {
    return null; // nothing, or nothing of ours
  }
}
