import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, Session, SignedOut, Unreachable } from "../../../../../services/chat/page/session.js";
import { FakeHost, settled } from "./fake_host.mjs";

const BASE = "http://here/";

function answer(status, body) {
  return { ok: status < 400, status, text: async () => (body === undefined ? "" : JSON.stringify(body)) };
}

// A server of one user: each refresh token is good once, and says so; `refused` access tokens get 401.
class FakeServer {
  count = 0;
  asked = [];
  refused = new Set();
  isAway = false;
  isOver = false;

  fetch = async (url, { method, headers, body }) => {
    if (this.isAway) throw new TypeError("fetch failed");
    const path = url.href.slice(BASE.length);
    this.asked.push(`${method} ${path}`);
    await settled();
    if (path === "signin" || path === "token/refresh") {
      if (this.isOver || (path !== "signin" && JSON.parse(body).refresh_token !== `r${this.count}`)) {
        return answer(401, { detail: "no" });
      }
      this.count += 1;
      const user = { id: 1, login: "me", name: "Me", is_admin: false };
      return answer(200, { access_token: `a${this.count}`, refresh_token: `r${this.count}`, expires_in: 900, user });
    }
    if (this.refused.has(headers.Authorization)) return answer(401, { detail: "expired" });
    return answer(200, { by: headers.Authorization });
  };
}

const storage = (kept) => ({
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
});

// A tab: `kept` is its own storage, `shared` that of all tabs.
function opened({ server = new FakeServer(), kept = new Map(), shared = new Map(), channels = [] } = {}) {
  const host = new FakeHost();
  host.fetch = server.fetch;
  host.sessionStorage = storage(kept);
  host.localStorage = storage(shared);
  host.BroadcastChannel = class {
    constructor() {
      channels.push(this);
    }
    postMessage(data) {
      for (const other of channels) if (other !== this) other.onmessage({ data });
    }
  };
  return { host, server, kept, shared, channels, session: new Session(BASE, host) };
}

test("only the refresh token is kept, and nothing after signing out", async () => {
  const { session, kept } = opened();
  await session.signIn("me", "secret");
  assert.deepEqual([...kept.values()], ['{"userId":1,"token":"r1"}']);
  await session.signOut();
  assert.equal(kept.size, 0);
  await assert.rejects(session.token(), SignedOut);
});

test("signing out ends the session at the server, also when the access token is too old for it", async () => {
  const { session, server } = opened();
  await session.signIn("me", "secret");
  const { now } = Date;
  Date.now = () => now() + 900_000;
  try {
    await session.signOut();
  } finally {
    Date.now = now;
  }
  assert.deepEqual(server.asked, ["POST signin", "POST token/refresh", "POST logout"]);
});

test("a reload goes on with the session, and without one it asks for nothing", async () => {
  const { session, kept, server } = opened();
  assert.equal(await session.resume(), null);
  assert.deepEqual(server.asked, []);
  await session.signIn("me", "secret");
  const reloaded = opened({ server, kept });
  assert.equal((await reloaded.session.resume()).login, "me");
});

test("a token is renewed once, however many ask", async () => {
  const { session, server } = opened();
  await session.signIn("me", "secret");
  assert.deepEqual(await Promise.all([session.token("a1"), session.token("a1"), session.token("a1")]), ["a2", "a2", "a2"]);
  assert.equal(server.asked.filter((one) => one.endsWith("refresh")).length, 1);
});

test("a token is renewed before it ends, and whoever uses it is told", async () => {
  const { session, host } = opened();
  const told = [];
  session.onToken = (token) => told.push(token);
  await session.signIn("me", "secret");
  assert.ok(host.waits[0] > 800_000 && host.waits[0] < 900_000);
  await host.pass(host.waits[0]);
  await settled();
  await settled();
  assert.deepEqual(told, ["a1", "a2"]);
});

test("a request that is refused for its token is repeated with another one", async () => {
  const { session, server } = opened();
  await session.signIn("me", "secret");
  server.refused.add("Bearer a1");
  assert.deepEqual(await session.request("GET", "me"), { by: "Bearer a2" });
});

test("a session that is over says so once, and forgets its tokens", async () => {
  const { session, server, kept } = opened();
  let over = 0;
  session.onSignedOut = () => (over += 1);
  await session.signIn("me", "secret");
  server.isOver = true;
  await assert.rejects(session.token("a1"), SignedOut);
  await assert.rejects(session.token("a1"), SignedOut);
  assert.equal(over, 1);
  assert.equal(kept.size, 0);
});

test("a server that is away ends no session", async () => {
  const { session, server, kept } = opened();
  await session.signIn("me", "secret");
  server.isAway = true;
  await assert.rejects(session.token("a1"), Unreachable);
  assert.equal(kept.size, 1);
  server.isAway = false;
  assert.equal(await session.token("a1"), "a2");
});

test("a duplicated tab goes on with the tokens that the other one got", async () => {
  const { session, server, kept, channels } = opened();
  await session.signIn("me", "secret");
  const twin = opened({ server, kept: new Map(kept), channels });
  await twin.session.resume();
  assert.equal(await session.token(), "a2");
  assert.equal(await session.token("a2"), "a3");
  assert.equal(await twin.session.token(), "a3");
});

test("who stays signed in is so at every tab, and each of them uses the newest token", async () => {
  const { session, server, kept, shared } = opened();
  await session.signIn("me", "secret", true);
  assert.deepEqual([kept.size, shared.size], [0, 1]);
  const beside = opened({ server, shared }); // it hears nothing from the other one
  assert.equal((await beside.session.resume()).login, "me");
  assert.equal(await session.token("a1"), "a3"); // r1 is used up: with it the session would be over
  await session.signOut();
  assert.equal(shared.size, 0);
});

test("a tab does not go on as somebody else who signed in at another one", async () => {
  const { session, server, shared } = opened();
  await session.signIn("me", "secret", true);
  shared.set("starling.session", '{"userId":2,"token":"other"}');
  assert.equal(await session.token("a1"), "a2");
  assert.deepEqual([...shared.values()], ['{"userId":2,"token":"other"}']);
  server.isOver = true;
  await assert.rejects(session.token("a2"), SignedOut);
  assert.equal(shared.size, 1);
});

test("a browser that keeps nothing signs in all the same", async () => {
  const { host, session: _, server } = opened();
  for (const name of ["sessionStorage", "localStorage"]) {
    Object.defineProperty(host, name, { get: () => { throw new Error("SecurityError"); } });
  }
  const session = new Session(BASE, host);
  await session.signIn("me", "secret");
  assert.equal(await session.token("a1"), "a2");
  assert.equal(server.count, 2);
});

test("what is wrong is said in the server's words", async () => {
  const { session, server } = opened();
  server.isOver = true;
  await assert.rejects(session.signIn("me", "wrong"), (error) => error instanceof Refused && error.message === "no");
});
