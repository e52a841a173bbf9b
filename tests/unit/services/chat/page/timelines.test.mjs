import assert from "node:assert/strict";
import { test } from "node:test";

import { emptyTimeline, timelineAfter, whileAsking, withPage, withoutPage } from "../../../../../services/chat/page/timelines.js";

const message = (id, body = `m${id}`) => ({ id, body, deleted_at: null, pinned: false, reactions: [] });
const posted = (id) => ({ type: "new_message", message: message(id) });
const edited = (id) => ({ type: "message_edited", message: message(id, "edited") });
const ids = (timeline) => timeline.messages.map(({ id }) => id);
const page = (part, some, more = {}) => ({ part, messages: some.map((id) => message(id)), next: null, ...more });

const asked = whileAsking(emptyTimeline(null), 1);
const middle = withPage(asked, page("around", [6, 5, 4], { next: 4, newer: 6 }));

test("a stretch in the middle takes no message that does not follow it, and every change of what it has", () => {
  const later = timelineAfter(timelineAfter(middle, posted(20)), edited(5));
  assert.deepEqual(ids(later), [4, 5, 6]);
  assert.equal(later.messages[1].body, "edited");
  assert.deepEqual([middle.before, middle.after], [4, 6]);
});

test("it grows at both ends, each with its own cursor", () => {
  const older = withPage(whileAsking(middle, 2), page("before", [3, 2], { next: 2 }));
  assert.deepEqual([ids(older), older.before, older.after], [[2, 3, 4, 5, 6], 2, 6]);
  const newer = withPage(whileAsking(older, 3), page("after", [8, 7], { next: 8 }));
  assert.deepEqual([ids(newer), newer.before, newer.after], [[2, 3, 4, 5, 6, 7, 8], 2, 8]);
});

test("once it ends with the newest, what came while that was asked for is there, and what comes joins it", () => {
  const asking = timelineAfter(whileAsking(middle, 2), posted(9));
  assert.deepEqual(ids(asking), [4, 5, 6]);
  const whole = withPage(asking, page("after", [8, 7]));
  assert.deepEqual(ids(whole), [4, 5, 6, 7, 8, 9]);
  assert.deepEqual(ids(timelineAfter(whole, posted(10))), [4, 5, 6, 7, 8, 9, 10]);
});

test("an older page asked for in the middle brings no newer message with it", () => {
  const asking = timelineAfter(whileAsking(middle, 2), posted(9));
  assert.deepEqual(ids(withPage(asking, page("before", [3]))), [3, 4, 5, 6]);
});

test("a page that did not come leaves what there was", () => {
  const asking = timelineAfter(whileAsking(middle, 2), edited(4));
  const left = withoutPage(asking);
  assert.deepEqual([ids(left), left.request, left.meanwhile, left.messages[0].body], [[4, 5, 6], null, [], "edited"]);
});
