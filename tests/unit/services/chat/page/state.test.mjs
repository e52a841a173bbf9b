import assert from "node:assert/strict";
import { test } from "node:test";

import { chatAfter, messagesAfter } from "../../../../../services/chat/page/chat_events.js";
import { connectionNotice, mentionAt, rows, sortedChats } from "../../../../../services/chat/page/selectors.js";
import { initialState, reduce } from "../../../../../services/chat/page/state.js";

const ME = 1;
const OTHER = 2;
const at = (second) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();

const member = (userId, more = {}) => ({
  user_id: userId, name: `User ${userId}`, is_admin: false, can_read: true, can_write: true, can_pin: false,
  can_invite: false, can_delete_others: false, last_read_message_id: null, joined_at: at(0), ...more,
});
const message = (id, more = {}) => ({
  id, chat_id: 7, author_id: OTHER, body: `m${id}`, reply_to_id: null, forwarded_from_id: null, pinned: false,
  created_at: at(id % 60), edited_at: null, deleted_at: null, reactions: [], mentions: [], ...more,
});
const chat = (more = {}) => ({
  id: 7, name: "Birds", chat_type: "group", description: null, archived: false, creator_id: ME, created_at: at(0),
  last_seq: 2, members: [member(ME), member(OTHER)], unread_count: 0, mention_count: 0, last_message: null, ...more,
});
const event = (type, seq, more = {}) => ({ type, chat_id: 7, seq, at: at(seq % 60), ...more });
const posted = (seq, one) => event("new_message", seq, { message: one });

function after(state, ...actions) {
  return actions.reduce(reduce, state);
}
function heard(state, ...events) {
  return after(state, ...events.map((one) => ({ type: "event", event: one, now: 0 })));
}
function withChats(...chats) {
  const user = { id: ME, login: "me", name: "Me", is_admin: false };
  return after(initialState(), { type: "signed_in", user }, { type: "chats_loaded", chats, next: null, isFirst: true });
}
function opened(state, messages = [], next = null) {
  return after(
    state,
    { type: "opened", chatId: 7 },
    { type: "history_requested", chatId: 7, request: 1 },
    { type: "history_loaded", chatId: 7, request: 1, messages: [...messages].reverse(), next },
  );
}
const ids = (state) => state.timelines[7].messages.map((one) => one.id);

// What a server would say, kept in the simplest way: rows, and views that are counted anew each time.
class ModelServer {
  events = [];
  #messages = [];
  #members = [member(ME), member(OTHER)];
  #description = {};

  do(kind, number) {
    const userId = number % 2 === 0 ? ME : OTHER;
    const some = this.#messages[number % Math.max(1, this.#messages.length)];
    const say = (type, more) => this.events.push(event(type, this.events.length + 3, more));
    const setMember = (one) => (this.#members = this.#members.map((old) => (old.user_id === one.user_id ? one : old)));
    const replace = (one) => (this.#messages = this.#messages.map((old) => (old.id === one.id ? one : old)));
    const reader = this.#members.find((one) => one.user_id === userId);
    if (kind === "post" && reader) {
      const one = message(this.#messages.length + 1, { author_id: userId, mentions: number % 5 === 0 ? [ME] : [] });
      this.#messages.push(one);
      setMember({ ...reader, last_read_message_id: one.id });
      say("new_message", { message: one });
    } else if (kind === "read" && some && reader && (reader.last_read_message_id ?? 0) < some.id) {
      setMember({ ...reader, last_read_message_id: some.id });
      say("messages_read", { user_id: userId, message_id: some.id });
    } else if (kind === "edit" && some && !some.deleted_at) {
      replace({ ...some, body: `edited ${number}`, edited_at: at(1), mentions: number % 3 === 0 ? [ME] : [] });
      say("message_edited", { message: this.#messages.find((one) => one.id === some.id) });
    } else if (kind === "delete" && some && !some.deleted_at) {
      say("message_deleted", { message_id: some.id });
      replace({ ...some, body: "", deleted_at: this.events.at(-1).at, pinned: false, reactions: [] });
    } else if (kind === "pin" && some && !some.deleted_at) {
      replace({ ...some, pinned: !some.pinned });
      say("message_pinned", { message_id: some.id, pinned: !some.pinned, user_id: userId });
    } else if (kind === "rename") {
      this.#description = { name: `Name ${number}`, description: "d", archived: false };
      say("chat_updated", { chat: { ...this.view(), ...this.#description } });
    } else if (kind === "join" && !this.#members.some((one) => one.user_id === number + 3)) {
      this.#members.push(member(number + 3));
      say("member_added", { member: member(number + 3) });
    } else if (kind === "leave" && this.#members.length > 2) {
      say("member_removed", { user_id: this.#members.pop().user_id });
    }
  }

  view() {
    const mine = this.#members.find((one) => one.user_id === ME).last_read_message_id ?? 0;
    const unread = this.#messages.filter((one) => one.id > mine && one.deleted_at === null);
    return chat({
      ...this.#description,
      last_seq: this.events.length + 2,
      members: [...this.#members],
      unread_count: unread.length,
      mention_count: unread.filter((one) => one.mentions.includes(ME)).length,
      last_message: this.#messages.at(-1) ?? null,
    });
  }

  get messages() {
    return this.#messages;
  }
}

// Numbers that are the same at each run.
function* numbers(seed) {
  for (let value = seed; ; value = (value * 1_103_515_245 + 12_345) % 2 ** 31) yield value >> 8;
}

test("a state plus events equals the fresh state, whatever happened", () => {
  const kinds = ["post", "post", "post", "read", "edit", "delete", "pin", "rename", "join", "leave"];
  for (let seed = 1; seed <= 100; seed += 1) {
    const number = numbers(seed);
    const server = new ModelServer();
    let state = opened(withChats(server.view()));
    for (let step = 0; step < 60; step += 1) {
      const known = server.events.length;
      server.do(kinds[number.next().value % kinds.length], number.next().value % 50);
      state = heard(state, ...server.events.slice(known));
      // Only the server can count what is unread behind a mark in the middle: then it is asked.
      if (state.stale[7]) state = after(state, { type: "chat_loaded", chat: server.view() });
      assert.deepEqual(state.chats[7], server.view(), `seed ${seed}, step ${step}`);
      assert.deepEqual(state.timelines[7].messages, server.messages, `seed ${seed}, step ${step}`);
    }
  }
});

test("events that the chat has behind it change nothing", () => {
  const state = withChats(chat({ last_seq: 5, unread_count: 3 }));
  assert.equal(heard(state, posted(5, message(1))).chats[7].unread_count, 3);
});

test("an older answer does not undo what the stream told", () => {
  const state = heard(withChats(chat()), posted(3, message(1)));
  const again = after(state, { type: "chats_loaded", chats: [chat()], next: null, isFirst: true });
  assert.equal(again.chats[7].unread_count, 1);
});

test("a chat that is not known is asked for, and events meanwhile are not lost", () => {
  let state = heard(withChats(), posted(3, message(1)), posted(4, message(2)));
  assert.deepEqual(Object.keys(state.stale), ["7"]);
  state = after(state, { type: "chat_loaded", chat: chat({ last_seq: 3, unread_count: 1, last_message: message(1) }) });
  assert.equal(state.chats[7].unread_count, 2);
  assert.equal(state.chats[7].last_seq, 4);
  assert.deepEqual(state.stale, {});
});

test("a gap makes a chat be asked for anew", () => {
  assert.ok(7 in heard(withChats(chat()), posted(9, message(1))).stale);
});

test("a reset forgets the messages and asks for the chat anew", () => {
  const state = after(opened(withChats(chat()), [message(1)]), { type: "reset", chatId: 7, seq: 9 });
  assert.equal(state.timelines[7], undefined);
  assert.ok(7 in state.stale);
});

test("what was asked for before a reset does not count after it", () => {
  let state = after(withChats(chat()), { type: "opened", chatId: 7 }, { type: "history_requested", chatId: 7, request: 1 });
  state = after(state, { type: "reset", chatId: 7, seq: 9 }, { type: "history_requested", chatId: 7, request: 2 });
  state = after(state, { type: "history_loaded", chatId: 7, request: 1, messages: [message(1)], next: null });
  assert.deepEqual(ids(state), []);
  state = after(state, { type: "history_loaded", chatId: 7, request: 2, messages: [message(2)], next: null });
  assert.deepEqual(ids(state), [2]);
  state = after(state, { type: "chat_loaded", chat: chat({ last_seq: 8 }) });
  assert.ok(7 in state.stale);
  state = after(state, { type: "chat_loaded", chat: chat({ last_seq: 9, unread_count: 5 }) });
  assert.deepEqual([state.stale, state.chats[7].unread_count], [{}, 5]);
});

test("a page that did not come can be asked for again, and loses nothing", () => {
  let state = opened(withChats(chat()), [message(5)], 5);
  state = after(state, { type: "history_requested", chatId: 7, request: 2 });
  state = heard(state, posted(3, message(6)));
  state = after(state, { type: "history_failed", chatId: 7, request: 2 });
  assert.deepEqual([ids(state), state.timelines[7].request], [[5, 6], null]);
  const first = after(withChats(chat()), { type: "history_requested", chatId: 7, request: 1 });
  assert.deepEqual(after(first, { type: "history_failed", chatId: 7, request: 1 }).timelines, {});
});

test("an own message is not unread, and reading all of it leaves nothing unread", () => {
  let state = heard(withChats(chat({ unread_count: 4 })), posted(3, message(9, { author_id: ME })));
  assert.equal(state.chats[7].unread_count, 0);
  state = heard(state, posted(4, message(10)), event("messages_read", 5, { user_id: ME, message_id: 10 }));
  assert.equal(state.chats[7].unread_count, 0);
  assert.deepEqual(state.stale, {});
});

test("who is removed loses the chat, and everything of it", () => {
  const state = heard(opened(withChats(chat()), [message(1)]), event("member_removed", 3, { user_id: ME }));
  assert.deepEqual([state.chats, state.timelines, state.openChat], [{}, {}, null]);
});

test("a page of history is put above what is there, each message once", () => {
  let state = opened(withChats(chat()), [message(5), message(6)], 5);
  state = after(state, { type: "history_requested", chatId: 7, request: 2 });
  state = after(state, { type: "history_loaded", chatId: 7, request: 2, messages: [message(5), message(4), message(3)], next: null });
  assert.deepEqual(ids(state), [3, 4, 5, 6]);
});

test("what happened while a page was on its way holds for what the page brings", () => {
  let state = after(withChats(chat()), { type: "opened", chatId: 7 }, { type: "history_requested", chatId: 7, request: 2 });
  state = heard(state, event("message_pinned", 3, { message_id: 1, pinned: true, user_id: ME }), posted(4, message(2)));
  state = after(state, { type: "history_loaded", chatId: 7, request: 2, messages: [message(1)], next: null });
  assert.deepEqual(ids(state), [1, 2]);
  assert.equal(state.timelines[7].messages[0].pinned, true);
});

test("an event of a newer server takes its number and harms nothing", () => {
  const state = heard(opened(withChats(chat()), [message(1)]), event("something_new", 3, { thing: 1 }));
  assert.equal(state.chats[7].last_seq, 3);
  assert.deepEqual(ids(state), [1]);
});

const entry = { nonce: "n", chatId: 7, body: "hi", replyToId: null, at: at(1) };
const own = message(9, { author_id: ME, body: "hi" });
const shown = (state) => rows(state, state.chats[7], state.timelines[7]).filter((row) => row.kind !== "day").length;

test("a message is on the screen once, whether its acknowledgement or its event comes first", () => {
  const waiting = after(opened(withChats(chat())), { type: "queued", entry });
  const sent = { type: "sent", nonce: "n", messageId: 9, seq: 3 };
  assert.equal(shown(waiting), 1);
  const acknowledged = after(waiting, sent);
  assert.equal(shown(acknowledged), 1);
  const echoed = heard(waiting, posted(3, own));
  assert.equal(shown(echoed), 1);
  for (const done of [heard(acknowledged, posted(3, own)), after(echoed, sent)]) {
    assert.equal(shown(done), 1);
    assert.deepEqual(done.outbox, []);
  }
});

test("a message that was refused stays, with the reason, until it is sent again or given up", () => {
  const state = after(opened(withChats(chat())), { type: "queued", entry }, { type: "refused", nonce: "n", sentence: "No." });
  assert.equal(state.outbox[0].failure, "No.");
  assert.equal(after(state, { type: "retried", nonce: "n" }).outbox[0].failure, null);
  assert.deepEqual(after(state, { type: "discarded", nonce: "n" }).outbox, []);
});

test("typing is shown for a while, and no longer once the message is there", () => {
  const typing = heard(withChats(chat()), { type: "typing", chat_id: 7, user_id: OTHER });
  assert.ok(OTHER in typing.typing[7]);
  assert.equal(after(typing, { type: "typing_expired", now: 4_999 }).typing[7][OTHER], 5_000);
  assert.deepEqual(after(typing, { type: "typing_expired", now: 5_000 }).typing, {});
  assert.deepEqual(heard(typing, posted(3, message(1))).typing[7], {});
  assert.deepEqual(heard(withChats(chat()), { type: "typing", chat_id: 7, user_id: ME }).typing, {});
});

test("a pin makes the open panel be read anew", () => {
  let state = after(withChats(chat()), { type: "pinned_opened", chatId: 7 }, { type: "pinned_requested" });
  state = after(state, { type: "pinned_loaded", chatId: 7, messages: [] });
  assert.equal(state.pinned.isStale, false);
  assert.equal(heard(state, event("message_pinned", 3, { message_id: 1, pinned: true, user_id: ME })).pinned.isStale, true);
});

test("new messages are marked where they began when the chat was opened", () => {
  const seen = chat({ unread_count: 2, members: [member(ME, { last_read_message_id: 1 }), member(OTHER)] });
  const state = opened(withChats(seen), [message(1), message(2), message(3)]);
  const kinds = rows(state, state.chats[7], state.timelines[7]).map((row) => row.kind);
  assert.deepEqual(kinds, ["day", "message", "unread", "message", "message"]);
});

test("the chats that one keeps are on top, also when that was said at another tab", () => {
  const state = withChats(chat({ last_message: message(2) }), chat({ id: 8, last_message: message(1) }));
  const list = [chat({ last_message: message(2) }), chat({ id: 8, last_message: message(1), pinned: true })];
  const again = after(state, { type: "chats_loaded", chats: list, next: null, isFirst: true });
  assert.deepEqual(sortedChats(again).map((one) => one.id), [8, 7]);
  assert.deepEqual(sortedChats(after(again, { type: "chat_pinned", chatId: 8, pinned: false })).map((one) => one.id), [7, 8]);
});

test("the chat with the newest message is on top", () => {
  const state = withChats(chat({ last_message: message(1) }), chat({ id: 8, last_message: message(2) }), chat({ id: 9 }));
  assert.deepEqual(sortedChats(state).map((one) => one.id), [8, 7, 9]);
});

test("a lost connection is said until it is back, also while it is tried again", () => {
  const status = (state, name, code) => after(state, { type: "status", status: name, code });
  const fresh = status(withChats(), "connecting");
  assert.equal(connectionNotice(fresh), null);
  const lost = status(status(status(fresh, "live"), "waiting", 1006), "connecting");
  assert.match(connectionNotice(lost), /Reconnecting/u);
  assert.match(connectionNotice(after(lost, { type: "network", isOnline: false })), /offline/u);
  assert.equal(connectionNotice(status(lost, "live")), null);
  assert.match(connectionNotice(status(fresh, "stopped", 4403)), /4403/u);
});

test("a search shows the answer to the newest question only, and goes on where it ended", () => {
  let state = after(withChats(chat()), { type: "search_opened" }, { type: "search_text", text: "a" }, { type: "search_requested", request: 1 });
  state = after(state, { type: "search_text", text: "ab" }, { type: "search_requested", request: 2 });
  state = after(state, { type: "search_loaded", request: 1, messages: [message(1)], next: null, isMore: false });
  assert.equal(state.search.messages, null);
  state = after(state, { type: "search_loaded", request: 2, messages: [message(9)], next: 9, isMore: false });
  state = after(state, { type: "search_requested", request: 3 });
  state = after(state, { type: "search_loaded", request: 3, messages: [message(8)], next: null, isMore: true });
  assert.deepEqual([state.search.messages.map((one) => one.id), state.search.next], [[9, 8], null]);
  assert.equal(after(state, { type: "search_closed" }, { type: "search_failed", request: 3, sentence: "no" }).search, null);
});

test("who is online is known as long as the connection lives", () => {
  let state = after(withChats(chat()), { type: "status", status: "live" }, { type: "present", chatId: 7, userIds: [ME, OTHER] });
  assert.equal(state.online[OTHER], true);
  state = heard(state, { type: "presence", chat_id: 7, user_id: OTHER, online: false });
  assert.equal(state.online[OTHER], false);
  assert.deepEqual(after(state, { type: "status", status: "waiting" }).online, {});
});

test("who is begun to be mentioned is found by login and by any part of the name, oneself and strangers are not", () => {
  const members = [member(ME), member(2, { name: "Bob Stone" }), member(3, { name: "Eve" }), member(4, { name: "Bo" })];
  const users = [{ id: ME, login: "bo", name: "Me" }, { id: 2, login: "rs", name: "Bob Stone" }, { id: 3, login: "bonny", name: "Eve" }];
  const state = after(withChats(chat({ members })), { type: "people_loaded", userIds: [ME, 2, 3, 4], users });
  const offered = (text) => mentionAt(state, state.chats[7], text)?.members.map((one) => one.userId) ?? null;
  assert.deepEqual([offered("hi @bo"), offered("@sto"), offered("@"), offered("a@bo"), offered("@bo "), offered("@x")], [[2, 3], [2], [2, 3], null, null, null]);
  assert.equal(mentionAt(state, state.chats[7], "hi @bo").from, 3);
});

test("what is deleted can be neither answered nor edited any more", () => {
  let state = after(opened(withChats(chat()), [message(1)]), { type: "replying", message: message(1) });
  assert.equal(heard(state, event("message_deleted", 3, { message_id: 1 })).replyTo, null);
  state = after(state, { type: "editing", message: message(1) });
  assert.equal(heard(state, event("message_deleted", 3, { message_id: 1 })).editing, null);
  assert.equal(heard(state, event("message_deleted", 3, { message_id: 2 })).editing.id, 1);
});

test("nothing that is given is changed", () => {
  const before = chat({ last_message: message(1) });
  const copy = structuredClone(before);
  chatAfter(before, posted(3, message(2)), ME);
  messagesAfter([before.last_message], event("message_pinned", 3, { message_id: 1, pinned: true }));
  assert.deepEqual(before, copy);
});
