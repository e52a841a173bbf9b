// All that can be done with a message: a menu beside it, on a phone a sheet from below; and the same by key.

import { confirmDialog, historyDialog, openDialog } from "./dialogs.js";
import { element } from "./dom.js";
import { MORE, QUICK } from "./emoji.js";
import { icon } from "./icons.js";
import { may } from "./selectors.js";

const GAP_PX = 6;

export class MessageMenu {
  #actions;
  #forward;
  #focusMessage;
  #state = null;
  #chat = null;

  /** `forward(message)` asks where to; `focusMessage(id)` gives the keyboard back to a message. */
  constructor({ actions, forward, focusMessage }) {
    this.#actions = actions;
    this.#forward = forward;
    this.#focusMessage = focusMessage;
  }

  /** What it judges rights by from now on. */
  show(state, chat) {
    this.#state = state;
    this.#chat = chat;
  }

  /** Open it for a message, beside `anchor`. `isReacting`: for the emoji alone. */
  open(message, anchor, isReacting = false) {
    let chosen = null;
    const choose = (act) => {
      chosen = act;
      close();
    };
    const emoji = this.#mayWrite ? [emojiPart(isReacting, (one) => choose(() => this.#actions.react(message, one)))] : [];
    const items = isReacting ? [] : this.#items(message).map((item) => itemButton(item, choose));
    const { dialog, close } = openDialog(
      {
        ...{ title: "What to do with the message", isTitled: false, classes: "menu" },
        closed: () => {
          this.#focusMessage(message.id);
          chosen?.();
        },
      },
      ...emoji,
      items.length > 0 ? element("div", { class: "menu-items" }, ...items) : null,
    );
    dialog.addEventListener("keydown", walk);
    place(dialog, anchor);
  }

  /** Do what a key on a message stands for. Whether it stands for anything. */
  press(event, message, anchor) {
    if (message.deleted_at !== null) return false;
    const item = this.#items(message).find((one) => one.key === event.key.toLowerCase());
    if (event.key === "Enter") this.open(message, anchor);
    else if (event.key === "+" && this.#mayWrite) this.open(message, anchor, true);
    else if (item) item.act();
    else return false;
    return true;
  }

  get #mayWrite() {
    return may(this.#state, this.#chat, "can_write");
  }

  #items(message) {
    const isOwn = message.author_id === this.#state.user.id;
    const pin = () => this.#actions.pin(message, !message.pinned);
    const mayPin = may(this.#state, this.#chat, "can_pin");
    const mayDelete = !this.#chat.archived && (isOwn || may(this.#state, this.#chat, "can_delete_others"));
    const items = [
      this.#mayWrite && { label: "Reply", picture: "reply", key: "r", act: () => this.#actions.reply(message) },
      this.#mayWrite && isOwn && { label: "Edit", picture: "edit", key: "e", act: () => this.#actions.beginEdit(message) },
      { label: "Copy text", picture: "copy", key: "c", act: () => this.#copy(message) },
      mayPin && { label: message.pinned ? "Unpin" : "Pin", picture: "pin", key: "p", act: pin },
      { label: "Forward", picture: "forward", key: "f", act: () => this.#forward(message) },
      message.edited_at !== null && { label: "Edit history", picture: "history", key: "h", act: () => this.#history(message) },
      mayDelete && { label: "Delete", picture: "trash", key: "delete", isDanger: true, act: () => this.#delete(message) },
    ];
    return items.filter(Boolean);
  }

  async #copy(message) {
    try {
      await navigator.clipboard.writeText(message.body); // there is none without HTTPS
      this.#actions.say("Copied.");
    } catch {
      this.#actions.say("The browser does not let this page copy. Select the text instead.");
    }
  }

  #history(message) {
    return this.#actions.tried(async () => historyDialog(await this.#actions.versions(message)));
  }

  #delete(message) {
    confirmDialog({
      title: "Delete this message?",
      text: "It is deleted for everybody, and cannot be brought back.",
      verb: "Delete",
      act: () => this.#actions.remove(message),
    });
  }
}

function itemButton({ label, picture, key, isDanger = false, act }, choose) {
  const shown = key.length === 1 ? key.toUpperCase() : "Del";
  return element(
    "button",
    { class: isDanger ? "menu-item danger" : "menu-item", type: "button", on: { click: () => choose(act) } },
    icon(picture),
    element("span", {}, label),
    element("kbd", { "aria-hidden": "true" }, shown),
  );
}

function emojiPart(isWhole, choose) {
  const emojiButton = (label, ...inside) => element("button", { class: "emoji-button", type: "button", "aria-label": label }, ...inside);
  const button = (one) => {
    const made = emojiButton(`React with ${one}`, one);
    made.addEventListener("click", () => choose(one));
    return made;
  };
  const quick = element("div", { class: "emoji-quick" }, ...QUICK.map(button));
  const grid = element("div", { class: "emoji-grid", hidden: !isWhole }, ...MORE.map(button));
  const more = emojiButton("More emoji", icon("react"));
  more.hidden = isWhole;
  quick.append(more);
  more.addEventListener("click", () => {
    more.hidden = true;
    grid.hidden = false;
    grid.firstElementChild.focus();
    const dialog = grid.closest("dialog");
    if (dialog.style.top) dialog.style.top = `${onScreen(dialog.offsetTop, dialog)}px`; // it has grown
  });
  return element("div", { class: "emoji-part", role: "group", "aria-label": "Reactions" }, quick, grid);
}

// Arrows walk through the emoji and the items, as Tab does.
function walk(event) {
  const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll("button")].filter((button) => button.offsetParent !== null);
  const here = document.activeElement;
  const isVertical = event.key === "ArrowUp" || event.key === "ArrowDown";
  if (!isVertical || here.classList.contains("menu-item")) {
    buttons[(buttons.indexOf(here) + step + buttons.length) % buttons.length].focus();
    return;
  }
  // Up and down in the grid: to the nearest of the next line.
  const from = here.getBoundingClientRect();
  const beyond = buttons.filter((button) => (button.getBoundingClientRect().top - from.top) * step > 4);
  const distance = (button) => {
    const at = button.getBoundingClientRect();
    return Math.abs(at.top - from.top) * 100 + Math.abs(at.left - from.left);
  };
  beyond.sort((one, other) => distance(one) - distance(other))[0]?.focus();
}

// Beside what it belongs to and wholly on the screen; a phone has it at the bottom (dialogs.css).
function place(dialog, anchor) {
  if (matchMedia("(max-width: 719px)").matches) return;
  const isShown = anchor.offsetParent !== null; // without a mouse there are no tools to begin at
  const at = (isShown ? anchor : anchor.closest(".message").querySelector(".bubble")).getBoundingClientRect();
  const left = Math.min(Math.max(GAP_PX, at.left), innerWidth - dialog.offsetWidth - GAP_PX);
  const isRoomBelow = at.bottom + GAP_PX + dialog.offsetHeight < innerHeight;
  const top = isRoomBelow ? at.bottom + GAP_PX : at.top - dialog.offsetHeight - GAP_PX;
  dialog.style.left = `${left}px`;
  dialog.style.top = `${onScreen(top, dialog)}px`;
}

function onScreen(top, dialog) {
  return Math.max(GAP_PX, Math.min(top, innerHeight - dialog.offsetHeight - GAP_PX));
}
