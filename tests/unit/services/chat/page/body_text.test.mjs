import assert from "node:assert/strict";
import { test } from "node:test";

import { isBigEmoji, isLong, partsOf } from "../../../../../services/chat/page/body_text.js";

const kinds = (body, mentioned) => partsOf(body, mentioned).map(({ kind, text }) => [kind, text]);
const links = (body) => partsOf(body).filter(({ kind }) => kind === "link").map(({ href }) => href);

test("a plain text is one part, whatever markup it looks like", () => {
  for (const body of ["hello", "<img src=x onerror=alert(1)>", "a\n\n  b", "1 < 2 && 3 > 2"]) {
    assert.deepEqual(kinds(body), [["text", body]]);
  }
});

test("links end where the sentence goes on, and only the web's are links", () => {
  assert.deepEqual(links("see https://a.example/x?y=1#z, and (http://b.example/)."), ["https://a.example/x?y=1#z", "http://b.example/"]);
  assert.deepEqual(links("https://a.example/Bird_(animal)"), ["https://a.example/Bird_(animal)"]);
  for (const body of ["javascript:alert(1)", "data:text/html,x", "https://", "xhttps://a.example", "file:///etc/passwd"]) {
    assert.deepEqual(links(body), [], body);
  }
});

test("code is told from text, and nothing in it is a link or a mention", () => {
  assert.deepEqual(kinds("run `rm -r x` now"), [["text", "run "], ["code", "rm -r x"], ["text", " now"]]);
  assert.deepEqual(kinds("before\n```js\nlet a = `1`;\n@ada\n```\nafter", [{ userId: 1, login: "ada" }]), [
    ["text", "before"],
    ["block", "let a = `1`;\n@ada"],
    ["text", "after"],
  ]);
  assert.deepEqual(kinds("a ` b"), [["text", "a ` b"]]);
});

test("who was mentioned stands out, the longest login first, and nobody else", () => {
  const mentioned = [{ userId: 1, login: "ada" }, { userId: 2, login: "ada.b" }, { userId: 3, login: undefined }];
  assert.deepEqual(kinds("@ada, @Ada.b: mail x@ada.b @adamant @eve", mentioned), [
    ["mention", "@ada"],
    ["text", ", "],
    ["mention", "@Ada.b"],
    ["text", ": mail x@ada.b @adamant @eve"],
  ]);
});

test("long texts and lone emoji are recognized", () => {
  assert.deepEqual([isLong("a".repeat(1_501)), isLong("a\n".repeat(25)), isLong("a\nb")], [true, true, false]);
  assert.deepEqual([isBigEmoji("👍"), isBigEmoji("❤️👩‍🚀"), isBigEmoji("ok 👍"), isBigEmoji("👍".repeat(5)), isBigEmoji("7")], [true, true, false, false, false]);
});
