// A body on the screen: elements of its parts, texts as texts.

import { isBigEmoji, isLong, partsOf } from "./body_text.js";
import { element } from "./dom.js";

/** The element of a body. `mentioned`: see body_text.js; `me` is whose own mentions stand out. */
export function bodyElement(body, mentioned, me) {
  const classes = ["text", isBigEmoji(body) && "big-emoji"].filter(Boolean).join(" ");
  const made = element("div", { class: classes, dir: "auto" }, ...partsOf(body, mentioned).map((part) => partElement(part, me)));
  if (!isLong(body)) return made;
  made.classList.add("clipped");
  const more = element("button", { class: "quiet show-all", type: "button", "aria-expanded": "false" }, "Show all");
  more.addEventListener("click", () => {
    const isClipped = made.classList.toggle("clipped");
    more.setAttribute("aria-expanded", String(!isClipped));
    more.textContent = isClipped ? "Show all" : "Show less";
  });
  return element("div", { class: "long" }, made, more);
}

/** A text in which the words of a question stand out. */
export function highlighted(text, question) {
  const words = question.split(/[\s"]+/u).map((word) => word.replace(/^-/u, "")).filter((word) => word.length > 1);
  if (words.length === 0) return [text];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&"));
  const pieces = text.split(new RegExp(`(${escaped.join("|")})`, "giu"));
  return pieces.map((piece, index) => (index % 2 === 1 ? element("mark", {}, piece) : piece)).filter((piece) => piece !== "");
}

function partElement({ kind, text, href, userId }, me) {
  switch (kind) {
    case "code":
      return element("code", {}, text);
    case "block":
      return element("pre", { tabindex: "-1" }, element("code", {}, text));
    case "link":
      return element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", tabindex: "-1" }, text);
    case "mention":
      return element("span", { class: userId === me ? "mention me" : "mention" }, text);
    default:
      return text;
  }
}
