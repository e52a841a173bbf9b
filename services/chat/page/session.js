// Who is signed in at this tab: signing in and out, tokens, and requests that carry them.
//
// The access token lives in memory only; kept_session.js says where the refresh token is kept. Several tabs may share
// a session. A refresh token is good for one use, and for ten seconds more; so a tab looks for a newer one before it
// uses its own, and tells the others what it got.

import { KeptSession } from "./kept_session.js";

// How long before its end a token is renewed: a minute, and for short lives half of it. The end is told in whole
// seconds and counted from when the answer came, so that it may be nearer than it seems.
const EARLY_MS = 60_000;
const AGAIN_MS = 5_000; // between tries to renew, while the server cannot be reached

/** An answer that says what went wrong. `problem` is the server's problem object, `status` the HTTP status. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.errors?.[0]?.message || problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

/** The server could not be reached. */
export class Unreachable extends Error {
  constructor(cause) {
    super("The server cannot be reached.", { cause });
  }
}

/** Nobody is signed in any more: only the password helps. */
export class SignedOut extends Error {
  constructor() {
    super("You are signed out: sign in again.");
  }
}

export class Session {
  #base;
  #host;
  #accessToken = null;
  #refreshToken = null;
  #userId = null;
  #kept;
  #renewAt = 0;
  #renewal = null;
  #timer = null;
  #siblings = null;

  /** Called with each new access token. */
  onToken = () => {};
  /** Called once when the session is over and it was not asked for here. */
  onSignedOut = () => {};

  /**
   * `base` is the URL below which the API lies. `host` has what a browser has: fetch, storages, timers, random and
   * BroadcastChannel.
   */
  constructor(base, host = globalThis) {
    this.#base = base;
    this.#host = host;
    this.#kept = new KeptSession(host);
    const { userId = null, token = null } = this.#kept.read() ?? {};
    this.#userId = userId;
    this.#refreshToken = token;
    this.#listenToSiblings();
  }

  /** Whose session it is, or null. */
  get userId() {
    return this.#userId;
  }

  /** The storage for what is to live as long as the session; null while there is none. */
  get storage() {
    return this.#kept.place;
  }

  /** The user, once name and password are right. `isLasting`: also in other tabs. Throws Refused, Unreachable. */
  async signIn(login, password, isLasting = false) {
    const answer = await this.#ask("POST", "signin", { login, password });
    this.#userId = answer.user.id;
    this.#kept.begin({ userId: this.#userId, token: answer.refresh_token }, isLasting);
    this.#take(answer);
    return answer.user;
  }

  /** The user of the session that this tab had before it was reloaded, or null. Throws Unreachable, Refused. */
  async resume() {
    if (this.#refreshToken === null) return null;
    try {
      return (await this.#renew()).user;
    } catch (error) {
      if (error instanceof SignedOut) return null;
      throw error;
    }
  }

  /** Forget the tokens here, and end the session at the server as far as it can be reached. */
  async signOut() {
    const isGood = Date.now() < this.#renewAt;
    const [accessToken, refreshToken] = [this.#accessToken, this.#refreshToken];
    this.#forget();
    if (refreshToken === null) return;
    try {
      const token = isGood ? accessToken : (await this.#exchange(refreshToken)).access_token;
      await this.#ask("POST", "logout", undefined, token);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error; // 401: it had ended already
    }
  }

  /**
   * An access token that the server should take. `rejected` is one that it just refused, so another one is
   * wanted. Throws SignedOut, Unreachable, Refused.
   */
  async token(rejected = null) {
    const isGood = this.#accessToken !== null && this.#accessToken !== rejected && Date.now() < this.#renewAt;
    if (!isGood) await this.#renew();
    return this.#accessToken;
  }

  /** The JSON of an answer, null where there is none. Throws Refused, Unreachable, SignedOut. */
  async request(method, path, body) {
    const token = await this.token();
    try {
      return await this.#ask(method, path, body, token);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      return this.#ask(method, path, body, await this.token(token)); // revoked, or our clock is wrong: once more
    }
  }

  async #ask(method, path, body, token) {
    const headers = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let answer, text;
    try {
      answer = await this.#host.fetch(new URL(path, this.#base), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
      });
      text = await answer.text();
    } catch (error) {
      throw new Unreachable(error);
    }
    const found = parsed(text);
    if (!answer.ok) throw new Refused(answer.status, found ?? {});
    return found;
  }

  // One renewal at a time: a refresh token is good for one use.
  #renew() {
    if (this.#refreshToken === null) return Promise.reject(new SignedOut());
    this.#renewal ??= this.#refresh().finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  async #refresh() {
    const used = this.#newest();
    let answer;
    try {
      answer = await this.#exchange(used);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      const newest = this.#newest();
      if (newest === null) throw new SignedOut(); // at this tab, meanwhile
      if (newest !== used) return this.#refresh(); // another tab was faster
      this.#forget();
      this.onSignedOut();
      throw new SignedOut();
    }
    if (this.#refreshToken !== used) throw new SignedOut(); // signed out, or as somebody else, meanwhile
    this.#take(answer);
    this.#siblings?.postMessage({ used, answer });
    return answer;
  }

  // Our token, or the one that another tab has got for it meanwhile.
  #newest() {
    const kept = this.#kept.read();
    if (kept !== null && kept.userId === this.#userId) this.#refreshToken = kept.token;
    return this.#refreshToken;
  }

  #exchange(refreshToken) {
    return this.#ask("POST", "token/refresh", { refresh_token: refreshToken });
  }

  #take(answer) {
    const lifeMs = answer.expires_in * 1000;
    this.#accessToken = answer.access_token;
    this.#refreshToken = answer.refresh_token;
    this.#renewAt = Date.now() + lifeMs - Math.min(EARLY_MS, lifeMs / 2);
    this.#kept.renew({ userId: this.#userId, token: answer.refresh_token });
    this.#renewLater(this.#renewAt - Date.now());
    this.onToken(answer.access_token);
  }

  #renewLater(delayMs) {
    this.#host.clearTimeout(this.#timer);
    this.#timer = this.#host.setTimeout(() => {
      this.#renew().catch((error) => {
        if (!(error instanceof SignedOut)) this.#renewLater(AGAIN_MS);
      });
    }, delayMs);
  }

  #forget() {
    this.#host.clearTimeout(this.#timer);
    this.#accessToken = this.#refreshToken = null;
    this.#kept.forget(this.#userId);
    this.#userId = null;
  }

  // A tab that is duplicated has the same refresh token. Used by both, it would look stolen to the server, which
  // ends the session; so whoever uses it tells the others what it got.
  #listenToSiblings() {
    if (!this.#host.BroadcastChannel) return;
    this.#siblings = new this.#host.BroadcastChannel("starling.session");
    this.#siblings.onmessage = ({ data }) => {
      if (data.used === this.#refreshToken && this.#accessToken !== null) this.#take(data.answer);
    };
  }
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { detail: "The server answered something that is no JSON." }; // a proxy's page, most likely
  }
}
