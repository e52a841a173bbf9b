import assert from "node:assert/strict";
import { test } from "node:test";

import { isAnyDrafted, isDraftOnly, textIn } from "../../../../../services/chat/page/draft_state.js";
import { KeptDrafts } from "../../../../../services/chat/page/kept_drafts.js";
import { storageOf } from "../../../../../services/chat/page/kept_session.js";
import { initialState, reduce } from "../../../../../services/chat/page/state.js";

const ME = 1;
const OTHER = 2;
const message = (id, more = {}) => ({
  id, chat_id: 7, author_id: OTHER, body: `m${id}`, reply_to_id: null, forwarded_from_id: null, pinned: false,
  created_at: "2026-01-01T12:00:00Z", edited_at: null, deleted_at: null, reactions: [], mentions: [], ...more,
});
const draft = (body, more = {}) => ({ body, replyTo: null, edit: null, ...more });
const after = (state, ...actions) => actions.reduce(reduce, state);
const drafted = (text, chatId = 7) => ({ type: "drafted", chatId, text });
const opened = (chatId) => ({ type: "opened", chatId });
const signedIn = (drafts = {}) => after(initialState(), opened(7), { type: "signed_in", user: { id: ME }, drafts });
const deleted = (id, chatId = 7) => ({ type: "event", event: { type: "message_deleted", chat_id: chatId, seq: 3, at: "", message_id: id }, now: 0 });
const chat = (id) => ({ id, chat_type: "group", archived: false, last_seq: 2, members: [], unread_count: 0, mention_count: 0, last_message: null });
const listed = { type: "chats_loaded", chats: [chat(7), chat(8)], next: null, isFirst: true };
const writing = ({ drafts, openChat, replyTo, editing }) => [textIn(drafts, openChat), replyTo?.id ?? null, editing?.id ?? null];

// What tabs share: each hears of what the others change, and only of changes.
class Shared {
  values = new Map();
  tabs = [];
  writes = 0;
  room = Infinity;

  place(tab) {
    const change = (key, newValue) => {
      this.writes += 1;
      if (newValue !== null && newValue.length > this.room) throw new DOMException("full", "QuotaExceededError");
      if ((this.values.get(key) ?? null) === newValue) return;
      if (newValue === null) this.values.delete(key);
      else this.values.set(key, newValue);
      for (const other of this.tabs) if (other !== tab) other.news.push({ key, newValue, storageArea: other.place });
    };
    const { values } = this;
    return {
      get length() {
        return values.size;
      },
      key: (index) => [...values.keys()][index] ?? null,
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => change(key, value),
      removeItem: (key) => change(key, null),
    };
  }
}

// As main.js puts them together.
class Tab {
  news = [];
  #now = 0;

  constructor(shared = new Shared(), userId = ME) {
    this.shared = shared;
    shared.tabs.push(this);
    this.kept = new KeptDrafts(() => ++this.#now);
    this.place = shared.place(this);
    this.enter(userId);
  }
  enter(userId) {
    this.state = after(initialState(), opened(7), { type: "signed_in", user: { id: userId }, drafts: this.kept.begin(userId, this.place) });
  }
  do(...actions) {
    this.state = after(this.state, ...actions);
    this.kept.save(this.state.drafts);
  }
  hear() {
    for (const event of this.news.splice(0)) {
      const heard = this.kept.hear(event);
      if (heard !== null) this.do({ type: "draft_heard", ...heard });
    }
  }
  get text() {
    return textIn(this.state.drafts, this.state.openChat);
  }
}

// -- while the page is there

test("each chat has a draft of its own, with the message that it answers", () => {
  const one = after(signedIn(), { type: "replying", message: message(3) }, drafted("he"), drafted("hello"));
  const other = after(one, opened(8), drafted("elsewhere", 8));
  assert.deepEqual(writing(one), ["hello", 3, null]);
  assert.deepEqual(writing(other), ["elsewhere", null, null]);
  assert.deepEqual(writing(after(other, opened(7))), ["hello", 3, null]);
});

test("a message that is edited stands before the draft, which comes back", () => {
  const editing = after(signedIn(), drafted("a thought"), { type: "editing", message: message(3) });
  assert.deepEqual(writing(editing), ["m3", null, 3]);
  const changed = after(editing, drafted("better"));
  assert.deepEqual(writing(after(changed, opened(8), opened(7))), ["better", null, 3]);
  assert.deepEqual(writing(after(changed, { type: "editing", message: null })), ["a thought", null, null]);
});

test("an edit that is done ends where it began, whatever is open by then", () => {
  const editing = after(signedIn(), drafted("a thought"), { type: "editing", message: message(3) }, drafted("better"));
  const other = after(editing, opened(8), { type: "editing", message: message(9, { chat_id: 8 }) });
  const done = after(other, { type: "edit_done", message: message(3) });
  assert.deepEqual(writing(done), ["m9", null, 9]);
  assert.deepEqual(writing(after(done, opened(7))), ["a thought", null, null]);
  assert.equal(after(done, { type: "edit_done", message: message(4) }), done);
});

test("what is sent, emptied or left is no draft any more", () => {
  const written = after(signedIn(), { type: "replying", message: message(3) }, drafted("hello"));
  const entry = { nonce: "n", chatId: 7, body: "hello", replyToId: 3, at: "" };
  for (const state of [
    after(written, { type: "queued", entry }),
    after(written, { type: "replying", message: null }, drafted("")),
    after(written, { type: "chat_gone", chatId: 7 }),
    after(written, { type: "signed_out" }),
  ]) {
    assert.deepEqual(state.drafts, {});
    assert.deepEqual([state.replyTo, state.editing], [null, null]);
  }
});

test("messages that waited over a reload leave the draft alone", () => {
  const state = after(signedIn({ 7: draft("next") }), { type: "requeued", entry: { nonce: "n", chatId: 7, body: "first" } });
  assert.deepEqual(writing(state), ["next", null, null]);
  assert.deepEqual(state.outbox.map((one) => one.body), ["first"]);
});

test("what is deleted is neither answered nor edited, also in a chat that is not open", () => {
  const replying = after(signedIn(), listed, { type: "replying", message: message(3) }, drafted("hello"), opened(8));
  assert.deepEqual(writing(after(replying, deleted(3), opened(7))), ["hello", null, null]);
  assert.deepEqual(writing(after(replying, deleted(4), opened(7))), ["hello", 3, null]);
  const editing = after(signedIn(), listed, drafted("a thought"), { type: "editing", message: message(3) }, drafted("better"));
  assert.deepEqual(writing(after(editing, deleted(3))), ["a thought", null, null]);
});

test("nor is what was deleted while the page was not there", () => {
  const kept = { 7: draft("hello", { replyTo: message(3) }) };
  const asked = after(signedIn(kept), { type: "history_requested", chatId: 7, request: 1 });
  assert.deepEqual(writing(asked), ["hello", 3, null]);
  const page = (one) => ({ type: "history_loaded", chatId: 7, request: 1, messages: [one], next: null });
  assert.deepEqual(writing(after(asked, page(message(3, { deleted_at: "2026-01-02T12:00:00Z" })))), ["hello", null, null]);
  assert.deepEqual(writing(after(asked, page(message(3)))), ["hello", 3, null]);
});

test("blanks and edits that change nothing are nothing that one would miss", () => {
  assert.equal(isAnyDrafted({}), false);
  assert.equal(isAnyDrafted({ 7: draft(" \n"), 8: draft("", { edit: { message: message(3), body: "m3" } }) }), false);
  assert.equal(isAnyDrafted({ 7: draft("x") }), true);
  assert.equal(isAnyDrafted({ 7: draft("", { edit: { message: message(3), body: "m4" } }) }), true);
});

test("a key changes nothing but the draft of the open chat", () => {
  const before = after(signedIn({ 8: draft("elsewhere") }), { type: "replying", message: message(3) }, drafted("hel"));
  assert.ok(isDraftOnly(before, after(before, drafted("hello"))));
  assert.ok(isDraftOnly(before, after(before, { type: "draft_heard", chatId: 7, draft: draft("theirs", { replyTo: before.replyTo }) })));
  for (const action of [
    drafted("there", 8),
    { type: "draft_heard", chatId: 8, draft: null },
    { type: "replying", message: null },
    { type: "notice", notice: "x" },
    opened(8),
  ]) {
    assert.ok(!isDraftOnly(before, after(before, action)), action.type);
  }
});

// -- over a reload

test("after a reload all is as it was", () => {
  const tab = new Tab();
  tab.do(drafted("a thought"), { type: "editing", message: message(3) }, drafted("better"));
  tab.do(opened(8), { type: "replying", message: message(9, { chat_id: 8, body: "q".repeat(500) }) }, drafted("ж\n@bob", 8));
  const { state } = new Tab(tab.shared);
  assert.deepEqual(writing(state), ["better", null, 3]);
  assert.deepEqual(writing(after(state, { type: "editing", message: null })), ["a thought", null, null]);
  const other = after(state, opened(8));
  assert.deepEqual(writing(other), ["ж\n@bob", 9, null]);
  assert.deepEqual(other.replyTo, { id: 9, chat_id: 8, author_id: OTHER, body: "q".repeat(200) });
});

test("only what changed is written", () => {
  const tab = new Tab();
  tab.do(drafted("one"));
  tab.do(opened(8), drafted("two", 8));
  assert.equal(tab.shared.writes, 2);
  tab.do(opened(7), { type: "network", isOnline: false });
  new Tab(tab.shared).do(opened(8));
  assert.equal(tab.shared.writes, 2);
});

test("nothing is kept of what was sent, and after signing out of anything", () => {
  const tab = new Tab();
  tab.shared.values.set("starling.session", "s");
  tab.do(drafted("one"), opened(8), drafted("two", 8));
  tab.do({ type: "queued", entry: { nonce: "n", chatId: 8, body: "two", replyToId: null, at: "" } });
  assert.deepEqual([...tab.shared.values.keys()], ["starling.session", "starling.draft.1.7"]);
  tab.kept.end();
  tab.do(drafted("too late"));
  assert.deepEqual([...tab.shared.values.keys()], ["starling.session"]);
});

test("nobody gets what somebody else wrote", () => {
  const tab = new Tab();
  tab.do(drafted("dear diary"));
  const others = new Tab(tab.shared, 11); // whose number begins like the first one's
  assert.equal(others.text, "");
  assert.equal(tab.shared.values.size, 0);
});

test("what is no draft of ours is none", () => {
  const shared = new Shared();
  shared.values.set("starling.draft.1.7", "{");
  shared.values.set("starling.draft.1.8", '{"body":7}');
  shared.values.set("starling.draft.1.9", '{"body":"x","replyTo":null,"edit":null,"at":1}');
  assert.deepEqual(new Tab(shared).state.drafts, { 9: draft("x") });
  assert.deepEqual([...shared.values.keys()], ["starling.draft.1.9"]);
});

test("the newest fifty are kept", () => {
  const tab = new Tab();
  for (let chatId = 1; chatId <= 50; chatId += 1) tab.do(drafted("old", chatId));
  tab.do(drafted("newer", 1), drafted("new", 51));
  const kept = new Tab(tab.shared).state.drafts;
  assert.equal(Object.keys(kept).length, 50);
  assert.deepEqual([kept[1].body, kept[51].body, kept[2]], ["newer", "new", undefined]);
});

test("a draft has an end, and all of them together have", () => {
  const tab = new Tab();
  for (let chatId = 1; chatId <= 20; chatId += 1) tab.do(drafted("x".repeat(70_000), chatId));
  const kept = new Tab(tab.shared).state.drafts;
  assert.deepEqual(Object.keys(kept).map(Number), [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.ok(Object.values(kept).every(({ body }) => body.length === 65_536));
  assert.ok([...tab.shared.values.values()].join("").length <= 1_048_576);
});

test("a browser without room, or that gives none, costs no more than the memory of it", (t) => {
  t.mock.method(console, "warn", () => {});
  const tab = new Tab();
  tab.shared.room = 10;
  tab.do(drafted("one"), drafted("another"));
  assert.equal(tab.text, "another");
  const kept = new KeptDrafts();
  kept.begin(ME, storageOf({}, "localStorage"));
  kept.save({ 7: draft("one") });
  kept.end();
  kept.save({ 7: draft("two") });
});

// -- two tabs

test("what one tab writes the other shows, and neither answers", () => {
  const one = new Tab();
  const other = new Tab(one.shared);
  one.do({ type: "replying", message: message(3) }, drafted("hel"));
  one.do(drafted("hello"));
  other.hear();
  assert.deepEqual(writing(other.state), ["hello", 3, null]);
  assert.equal(one.shared.writes, 2);
  assert.deepEqual(one.news, []);
});

test("the last one who writes wins", () => {
  const one = new Tab();
  const other = new Tab(one.shared);
  one.do(drafted("mine"));
  other.do(drafted("theirs")); // before it heard of the first
  one.hear();
  assert.equal(one.text, "theirs");
  assert.equal(new Tab(one.shared).text, "theirs");
});

test("two tabs that write in two chats do not meet", () => {
  const one = new Tab();
  const other = new Tab(one.shared);
  one.do(drafted("here"));
  other.do(opened(8), drafted("there", 8));
  const later = new Tab(one.shared).state;
  assert.deepEqual([textIn(later.drafts, 7), textIn(later.drafts, 8)], ["here", "there"]);
});

test("what one tab sends is gone from the other", () => {
  const one = new Tab();
  const other = new Tab(one.shared);
  one.do(drafted("hello"));
  other.hear();
  one.do({ type: "queued", entry: { nonce: "n", chatId: 7, body: "hello", replyToId: null, at: "" } });
  other.hear();
  assert.equal(other.text, "");
  assert.equal(one.shared.values.size, 0);
});

test("news of other things are no drafts", () => {
  const tab = new Tab();
  const news = { key: "starling.draft.1.7", newValue: '{"body":"x","replyTo":null,"edit":null}', storageArea: tab.place };
  for (const more of [{ key: null }, { key: "starling.session" }, { key: "starling.draft.11.7" }, { storageArea: {} }]) {
    assert.equal(tab.kept.hear({ ...news, ...more }), null);
  }
  assert.equal(tab.kept.hear(news).draft.body, "x");
  tab.kept.end();
  assert.equal(tab.kept.hear(news), null);
});
