import assert from "node:assert/strict";
import { test } from "node:test";

import { ChatClient, newNonce } from "../../../../../services/chat/page/client.js";
import { FakeHost, settled } from "./fake_host.mjs";

class SignedOut extends Error {}

async function started({ token = async () => "token" } = {}) {
  const host = new FakeHost();
  const told = [];
  const asked = [];
  const getToken = (rejected) => {
    asked.push(rejected);
    return token(rejected);
  };
  const client = new ChatClient({ url: "ws://here/ws/chat", token: getToken, tell: (notice) => told.push(notice), host });
  client.start();
  await settled();
  return { host, told, client, asked };
}

function hear(host, ...frames) {
  for (const frame of frames) host.socket.onmessage({ data: JSON.stringify(frame) });
}

// The server's side of a connection, up to where all chats are followed.
function goLive(host, heads = {}) {
  host.socket.readyState = 1;
  host.socket.onopen();
  hear(host, { type: "ready", user_id: 1, heartbeat_seconds: 25, worker: "w" });
  for (const [chatId, seq] of Object.entries(heads)) hear(host, { type: "subscribed", chat_id: Number(chatId), seq, presence: [] });
  hear(host, { type: "pong" });
}

async function live(options) {
  const all = await started(options);
  goLive(all.host, { 7: 10 });
  all.told.length = 0;
  return all;
}

const event = (seq, more = {}) => ({ type: "messages_read", chat_id: 7, seq, at: "", user_id: 2, message_id: 1, ...more });
const seqsOf = (told) => told.filter((notice) => notice.type === "event").map((notice) => notice.event.seq);
const sends = (host) => host.socket.said.filter((frame) => frame.type === "send");

test("the token goes into the first frame and never into the address", async () => {
  const { host } = await started();
  goLive(host);
  assert.deepEqual(host.socket.protocols, ["starling.v1"]);
  assert.equal(host.socket.url, "ws://here/ws/chat");
  assert.deepEqual(host.socket.said[0], { type: "auth", token: "token" });
});

test("it is live once the server has followed every chat", async () => {
  const { host, told } = await started();
  host.socket.readyState = 1;
  host.socket.onopen();
  hear(host, { type: "ready", user_id: 1, heartbeat_seconds: 25, worker: "w" }, { type: "subscribed", chat_id: 7, seq: 3, presence: [] });
  assert.deepEqual(host.socket.said.slice(1), [{ type: "subscribe_all", since: {} }, { type: "ping" }]);
  assert.ok(!told.some((notice) => notice.type === "live"));
  hear(host, { type: "pong" });
  assert.ok(told.some((notice) => notice.type === "live"));
});

test("an event that comes twice is told once", async () => {
  const { host, told } = await live();
  hear(host, event(10), event(11), event(11), event(12), event(10));
  assert.deepEqual(seqsOf(told), [11, 12]);
});

test("a lost connection comes back at once and resumes behind the last event", async () => {
  const { host, told } = await live();
  hear(host, event(11));
  host.socket.onclose({ code: 1006 });
  await host.pass(0);
  assert.equal(host.sockets.length, 2);
  goLive(host, { 7: 14 });
  assert.deepEqual(host.socket.said[1], { type: "subscribe_all", since: { 7: 11 } });
  hear(host, event(11), event(12), event(13), event(14));
  assert.deepEqual(seqsOf(told), [11, 12, 13, 14]);
});

test("what a socket that was left behind still says is not heard", async () => {
  const { host, told } = await live();
  const old = host.socket;
  const heardBy = old.onmessage;
  old.onclose({ code: 4013 });
  await host.pass(0);
  assert.equal(old.onmessage, null);
  assert.notEqual(heardBy, null);
  goLive(host, { 7: 10 });
  hear(host, event(11));
  assert.deepEqual(seqsOf(told), [11]);
});

test("a gap is asked for once, and nothing behind it is told before it", async () => {
  const { host, told } = await live();
  hear(host, event(13), event(14));
  assert.deepEqual(seqsOf(told), []);
  const asked = host.socket.said.filter((frame) => frame.type === "subscribe");
  assert.deepEqual(asked, [{ type: "subscribe", chat_id: 7, since: 10 }]);
  hear(host, { type: "subscribed", chat_id: 7, seq: 14, presence: [] }, event(11), event(12), event(13), event(14));
  assert.deepEqual(seqsOf(told), [11, 12, 13, 14]);
});

test("after a reset the stream goes on from where the server says", async () => {
  const { host, told } = await live();
  hear(host, { type: "reset", chat_id: 7, seq: 50 }, event(51));
  assert.deepEqual(told.map((notice) => notice.type), ["reset", "event"]);
});

test("a chat that is not followed any more after a loss is gone", async () => {
  const { host, told } = await live();
  host.socket.onclose({ code: 1006 });
  await host.pass(0);
  goLive(host, { 8: 1 });
  assert.deepEqual(told.filter((notice) => notice.type === "gone"), [{ type: "gone", chatId: 7 }]);
});

test("a chat that was left and joined again begins anew", async () => {
  const { host, told } = await live();
  hear(host, event(11, { type: "member_removed", user_id: 1 }), event(20, { type: "member_added" }));
  assert.deepEqual(seqsOf(told), [11, 20]);
});

test("who is online is told of each chat that is followed, also of one that is joined later", async () => {
  const { host, told } = await started();
  goLive(host, { 7: 10 });
  const subscribed = { type: "subscribed", chat_id: 8, seq: 3, presence: [2, 3] };
  hear(host, event(3, { type: "member_added", chat_id: 8 }), subscribed, event(4, { chat_id: 8 }));
  const asked = host.socket.said.filter((frame) => frame.type === "subscribe");
  assert.deepEqual(asked, [{ type: "subscribe", chat_id: 8, since: 3, ref: "subscribe" }]);
  const present = told.filter((notice) => notice.type === "present");
  assert.deepEqual(present.map(({ chatId, userIds }) => [chatId, userIds]), [[7, []], [8, [2, 3]]]);
});

test("an ephemeral event is told as it comes", async () => {
  const { host, told } = await live();
  hear(host, { type: "typing", chat_id: 7, user_id: 2 }, { type: "typing", chat_id: 7, user_id: 2 });
  assert.equal(told.length, 2);
});

test("messages are sent one at a time, in order, and each is settled once", async () => {
  const { host, told, client } = await live();
  client.send(7, "one", { nonce: "a" });
  client.send(7, "two", { nonce: "b", replyToId: 5 });
  assert.deepEqual(sends(host), [{ type: "send", chat_id: 7, body: "one", nonce: "a" }]);
  hear(host, { type: "ack", nonce: "a", message_id: 1, seq: 11 }, { type: "ack", nonce: "a", message_id: 1, seq: 11 });
  assert.deepEqual(sends(host)[1], { type: "send", chat_id: 7, body: "two", nonce: "b", reply_to_id: 5 });
  assert.deepEqual(told, [{ type: "sent", nonce: "a", messageId: 1, seq: 11 }]);
});

test("what was not acknowledged is sent again with the same nonce after a loss", async () => {
  const { host, client } = await live();
  client.send(7, "one", { nonce: "a" });
  client.send(7, "two", { nonce: "b" });
  host.socket.onclose({ code: 1012 });
  await host.pass(3_000);
  goLive(host, { 7: 10 });
  assert.deepEqual(sends(host).map((frame) => frame.nonce), ["a"]);
  hear(host, { type: "ack", nonce: "a", message_id: 1, seq: 11 });
  assert.deepEqual(sends(host).map((frame) => frame.nonce), ["a", "b"]);
});

test("what is written without a connection is sent when there is one", async () => {
  const { host, client } = await started();
  client.send(7, "one", { nonce: "a" });
  assert.equal(client.unsent, 1);
  goLive(host);
  assert.deepEqual(sends(host).map((frame) => frame.nonce), ["a"]);
});

test("a refusal ends a message, a passing fault does not", async () => {
  const { host, told, client } = await live();
  client.send(7, "one", { nonce: "a" });
  hear(host, { type: "error", ref: "a", problem: { status: 503, detail: "away" } });
  assert.deepEqual(told, []);
  await host.pass(2_000);
  assert.equal(sends(host).length, 2);
  const problem = { status: 403, detail: "no" };
  hear(host, { type: "error", ref: "a", problem });
  assert.deepEqual(told, [{ type: "refused", nonce: "a", problem }]);
  assert.equal(client.unsent, 0);
});

test("close codes decide whether and when it comes back", async () => {
  for (const [code, delay] of [[1012, 1_500], [1001, 1_500], [4013, 0], [1006, 0], [1011, 750], [4429, 750], [4999, 750]]) {
    const { host } = await live();
    host.socket.onclose({ code });
    assert.deepEqual(host.waits, [delay], `after ${code}`);
  }
  for (const code of [1000, 1009, 4400, 4403]) {
    const { host, told } = await live();
    host.socket.onclose({ code });
    assert.deepEqual(host.waits, [], `after ${code}`);
    assert.deepEqual(told, [{ type: "status", status: "stopped", code }]);
  }
});

test("a server that stays away is asked less and less often, never less than every 30 seconds", async () => {
  const { host } = await started();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    host.socket.onclose({ code: 1006 });
    waits.push(host.waits[0]);
    await host.pass(host.waits[0]);
  }
  assert.deepEqual(waits, [0, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
});

test("a token that was refused is exchanged for another one", async () => {
  const { host, asked } = await live();
  host.socket.onclose({ code: 4401 });
  await host.pass(0);
  assert.deepEqual(asked, [null, "token"]);
});

test("without a session there is nothing to come back with", async () => {
  const token = async (rejected) => {
    if (rejected) throw new SignedOut();
    return "token";
  };
  const { host, told } = await live({ token });
  host.socket.onclose({ code: 4401 });
  await host.pass(0);
  assert.equal(told.at(-1).status, "signed_out");
  assert.deepEqual(host.waits, []);
});

test("a newer token goes onto the socket that is open", async () => {
  const { host, client, told } = await live();
  client.renew("newer");
  client.renew("newer");
  hear(host, { type: "ready", user_id: 1, heartbeat_seconds: 25, worker: "w" });
  assert.deepEqual(host.socket.said.filter((frame) => frame.token === "newer"), [{ type: "auth", token: "newer" }]);
  assert.deepEqual(told, []);
});

test("a connection that is silent for too long is pinged, then left for another one", async () => {
  const { host } = await live();
  await host.pass(25_000);
  assert.equal(host.socket.said.at(-1).type, "ping");
  hear(host, { type: "pong" });
  await host.pass(24_000);
  assert.equal(host.sockets.length, 1);
  await host.pass(11_000);
  assert.equal(host.sockets.length, 2);
});

test("a check finds a dead connection soon, and ends a wait", async () => {
  const { host, client } = await live();
  client.check();
  await host.pass(3_000);
  assert.equal(host.sockets.length, 2);
  host.socket.onclose({ code: 1006 });
  client.check();
  await settled();
  assert.equal(host.sockets.length, 3);
});

test("a stop leaves nothing behind", async () => {
  const { host, client } = await live();
  client.send(7, "one");
  client.stop();
  assert.equal(host.socket.closedWith, 1000);
  assert.deepEqual(host.waits, []);
  assert.equal(client.unsent, 0);
});

test("a stop while the token is awaited opens no socket", async () => {
  let give;
  const { host, client } = await started({ token: () => new Promise((resolve) => (give = resolve)) });
  client.stop();
  give("late");
  await settled();
  assert.equal(host.sockets.length, 0);
});

test("nonces are long, and never the same", () => {
  const some = new Set(Array.from({ length: 1_000 }, () => newNonce()));
  assert.equal(some.size, 1_000);
  for (const nonce of some) assert.match(nonce, /^[0-9a-f]{32}$/u);
});
