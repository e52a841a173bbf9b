// Windows above the page, made when they are needed. The browser keeps the focus in them, closes them by Escape and
// gives the focus back.

import { element } from "./dom.js";
import { fullTime } from "./format.js";
import { icon } from "./icons.js";

let made = 0; // for ids only

/**
 * Open a window with these contents. `title` names it; without `isTitled` it is for screen readers only. `classes` are
 * added. Gives {dialog, close}; `closed` is called when it is gone, however that came.
 */
export function openDialog({ title, isTitled = true, classes = "", closed = () => {} }, ...contents) {
  const id = `dialog-${++made}`;
  const close = () => dialog.close();
  const heading = element("h2", { id, class: isTitled ? null : "unseen" }, title);
  const closer = element("button", { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } }, icon("close"));
  const dialog = element(
    "dialog",
    { class: `dialog ${classes}`, "aria-labelledby": id },
    isTitled ? element("header", { class: "dialog-head" }, heading, closer) : heading,
    ...contents,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && isOutside(dialog, event)) close(); // on what is behind it
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, close };
}

/** Ask whether to do something that cannot be undone; `act` does it. */
export function confirmDialog({ title, text, verb, act }) {
  const { dialog, close } = openDialog(
    { title, classes: "small" },
    element("p", {}, text),
    element(
      "div",
      { class: "buttons" },
      element("button", { class: "quiet", type: "button", on: { click: () => close() } }, "Cancel"),
      element("button", { class: "primary danger", type: "button", on: { click: () => (close(), act()) } }, verb),
    ),
  );
  dialog.querySelector(".buttons .quiet").focus();
}

/** What a message says and said before: [{body, at}], newest first. */
export function historyDialog(versions) {
  const rows = versions.map(({ body, at }, index) =>
    element(
      "li",
      {},
      element("p", { class: "faint" }, index === 0 ? "Now, since " : "", element("time", { datetime: at }, fullTime(at))),
      element("p", { class: "text", dir: "auto" }, body),
    ),
  );
  openDialog({ title: "Edit history" }, element("ul", { class: "versions", tabindex: "0", "aria-label": "Versions" }, ...rows));
}

/** The keys that do something. */
export function helpDialog() {
  const groups = SHORTCUTS.map(([title, keys]) =>
    element(
      "section",
      {},
      element("h3", {}, title),
      element("dl", {}, ...keys.flatMap(([keysText, what]) => [element("dt", {}, ...caps(keysText)), element("dd", {}, what)])),
    ),
  );
  openDialog({ title: "Keyboard shortcuts", classes: "wide help" }, element("div", { class: "shortcuts", tabindex: "0" }, ...groups));
}

const SHORTCUTS = [
  [
    "Anywhere",
    [
      ["Ctrl+K", "Search chats and messages"],
      ["Alt+↑ Alt+↓", "Previous chat, next chat"],
      ["Alt+N", "New chat"],
      ["/", "Search in this chat"],
      ["Esc", "Close what is open, step by step"],
      ["?", "This help"],
    ],
  ],
  [
    "Writing",
    [
      ["Enter", "Send"],
      ["Shift+Enter", "New line"],
      ["↑", "Edit your last message, when nothing is written"],
      ["@", "Mention somebody"],
      ["Shift+Tab", "Go to the messages"],
    ],
  ],
  [
    "On a message",
    [
      ["↑ ↓", "Walk; Home and End to the ends"],
      ["Enter", "All that can be done"],
      ["R", "Reply"],
      ["+", "React"],
      ["E", "Edit"],
      ["P", "Pin or unpin"],
      ["F", "Forward"],
      ["C", "Copy"],
      ["Delete", "Delete"],
    ],
  ],
];

function caps(keysText) {
  return keysText.split(" ").map((keys) => {
    const each = keys.split(/(?<=.)\+(?=.)/u).map((key) => element("kbd", {}, key));
    return element("span", { class: "keys" }, ...each);
  });
}

function isOutside(dialog, { clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
