// Small things that stand in many places.

import { element } from "./dom.js";
import { hue, initials } from "./format.js";

/** The round picture of somebody or of a chat: `id` gives its colour. Names stand beside it, so nobody reads it out. */
export function avatar(id, name, { isOnline = false, size = "" } = {}) {
  const classes = ["avatar", size, hue(id), isOnline && "is-online"].filter(Boolean).join(" ");
  return element("span", { class: classes, "aria-hidden": "true" }, initials(name));
}

/** A text for screen readers only. */
export function unseen(text) {
  return element("span", { class: "unseen" }, text);
}
