import assert from "node:assert/strict";
import { test } from "node:test";

import { parsePeople } from "../../../../../services/chat/page/people.js";

const KNOWN = [
  { id: 2, name: "Bob Stone" },
  { id: 3, name: "Eve" },
  { id: 4, name: "Eve" },
];

for (const [text, ids, logins] of [
  ["7", [7], []],
  ["#7, 8,8", [7, 8], []],
  ["bob stone", [2], []],
  ["Eve (#4)", [4], []],
  ["Eve", [], ["eve"]],
  ["Ada@Example.org , 7", [7], ["ada@example.org"]],
  ["user7", [], ["user7"]],
  [" , ", [], []],
]) {
  test(`${JSON.stringify(text)} means ${JSON.stringify(ids)} and ${JSON.stringify(logins)}`, () => {
    assert.deepEqual(parsePeople(text, KNOWN), { ids, logins });
  });
}
