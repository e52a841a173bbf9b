// How a message looks.

import { element } from "./dom.js";
import { day, fullTime, hue, initials, time } from "./format.js";
import { nameOf, readers } from "./selectors.js";

/**
 * Items for a KeyedList, of the rows of selectors.js. `context` has chat, mayPin, mayWrite, and messages by id, to
 * show what is replied to.
 */
export function itemsOf(rows, context) {
  const { chat, byMessageId, mayPin, mayWrite } = context;
  const lastOwn = rows.findLast((row) => row.kind === "message" && row.isOwn);
  return rows.map((row) => {
    if (row.kind === "day") return { key: `day ${new Date(row.at).toDateString()}`, parts: [day(row.at)], make: () => dayRow(row.at) };
    if (row.kind === "unread") return { key: "unread", parts: [], make: unreadRow };
    if (row.kind === "waiting") return { key: row.entry.nonce, parts: [row.entry], make: () => waitingRow(row.entry, context) };
    const { message, isOwn, isFirst, isLast } = row;
    const receipt = row === lastOwn ? receiptOf(chat, message) : null;
    const quoted = message.reply_to_id === null ? null : (byMessageId.get(message.reply_to_id) ?? null);
    const author = nameOf(chat, message.author_id);
    return {
      key: message.id,
      parts: [message, isFirst, isLast, receipt, quoted, author, mayPin, mayWrite],
      make: () => messageRow({ message, isOwn, isFirst, isLast, receipt, quoted, author }, context),
    };
  });
}

/** "Read" for a direct chat, "Read by 3" for others, or null while nobody has. */
function receiptOf(chat, message) {
  const { count, of } = readers(chat, message);
  if (count === 0) return null;
  if (chat.chat_type === "direct") return "Read";
  return count === of ? "Read by all" : `Read by ${count}`;
}

function messageRow({ message, isOwn, isFirst, isLast, receipt, quoted, author }, context) {
  const isDeleted = message.deleted_at !== null;
  const classes = ["message", isOwn && "own", isFirst && "first", message.pinned && "is-pinned"].filter(Boolean).join(" ");
  return element(
    "li",
    { class: classes, tabindex: "-1", "data-message": message.id },
    isOwn ? null : element("span", { class: `avatar ${hue(message.author_id)}`, "aria-hidden": "true" }, initials(author)),
    element(
      "div",
      { class: "column" },
      element("p", { class: isFirst && !isOwn ? "author" : "unseen" }, isOwn ? "You" : author),
      element(
        "div",
        { class: "line" },
        element(
          "div",
          { class: "bubble" },
          message.reply_to_id === null ? null : quote(quoted, context.chat),
          element("p", { class: isDeleted ? "text faint" : "text", dir: "auto" }, isDeleted ? "Message deleted" : message.body),
        ),
        isDeleted ? null : buttonsOf(message, context),
      ),
      metaOf(message, isLast, receipt),
    ),
  );
}

// The time stands below the last message of a group; for the others it is said only where one cannot see.
function metaOf(message, isLast, receipt) {
  const isShown = isLast || receipt !== null || message.pinned || message.edited_at !== null;
  return element(
    "p",
    { class: isShown ? "meta faint" : "unseen" },
    message.pinned ? "Pinned · " : null,
    message.edited_at !== null ? "edited · " : null,
    element("time", { datetime: message.created_at, title: fullTime(message.created_at) }, time(message.created_at)),
    receipt === null ? null : element("span", { class: "receipt" }, ` · ${receipt}`),
  );
}

function buttonsOf(message, { actions, mayPin, mayWrite }) {
  const button = (label, click) => element("button", { class: "quiet", type: "button", tabindex: "-1", on: { click } }, label);
  return element(
    "div",
    { class: "actions" },
    mayWrite ? button("Reply", () => actions.reply(message)) : null,
    mayPin ? button(message.pinned ? "Unpin" : "Pin", () => actions.pin(message, !message.pinned)) : null,
  );
}

function quote(quoted, chat) {
  if (quoted === null) return element("p", { class: "quote faint" }, "In reply to an earlier message");
  const text = quoted.deleted_at === null ? quoted.body : "Message deleted";
  return element("p", { class: "quote faint" }, `${nameOf(chat, quoted.author_id)}: ${text}`);
}

function waitingRow(entry, { actions }) {
  const hasFailed = entry.failure !== null;
  return element(
    "li",
    { class: hasFailed ? "message own waiting failed" : "message own waiting", tabindex: "-1" },
    element(
      "div",
      { class: "column" },
      element("p", { class: "unseen" }, "You"),
      element("div", { class: "line" }, element("div", { class: "bubble" }, element("p", { class: "text", dir: "auto" }, entry.body))),
      hasFailed
        ? element(
            "p",
            { class: "meta problem", role: "alert" },
            `Not sent: ${entry.failure} `,
            element("button", { class: "quiet", type: "button", on: { click: () => actions.retry(entry) } }, "Try again"),
            element("button", { class: "quiet", type: "button", on: { click: () => actions.discard(entry) } }, "Discard"),
          )
        : element("p", { class: "meta faint" }, "Sending…"),
    ),
  );
}

function dayRow(at) {
  return element("li", { class: "divider" }, element("time", { datetime: at }, day(at)));
}

function unreadRow() {
  return element("li", { class: "divider unread-mark" }, element("span", {}, "New messages"));
}
