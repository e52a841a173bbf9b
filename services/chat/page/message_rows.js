// How a message looks.

import { element } from "./dom.js";
import { day, fullTime, listed, time } from "./format.js";
import { icon } from "./icons.js";
import { avatar, unseen } from "./parts.js";
import { bodyElement } from "./rich_text.js";
import { mentionedIn, nameOf, readers } from "./selectors.js";

/**
 * Items for a KeyedList, of the rows of selectors.js. `context` has state, chat, actions, mayWrite, messages by id (to
 * show what is replied to), and `openMenu(message, anchor, isReacting)`.
 */
export function itemsOf(rows, context) {
  return rows.map((row) => {
    if (row.kind === "day") return { key: `day ${new Date(row.at).toDateString()}`, parts: [day(row.at)], make: () => dayRow(row.at) };
    if (row.kind === "unread") return { key: "unread", parts: [], make: unreadRow };
    if (row.kind === "waiting") return { key: row.entry.nonce, parts: [row.entry], make: () => waitingRow(row.entry, context) };
    return messageItem(row, context);
  });
}

function messageItem({ message, isOwn, isFirst, isLast }, context) {
  const { chat, state, byMessageId, mayWrite } = context;
  const quoted = message.reply_to_id === null ? null : (byMessageId.get(message.reply_to_id) ?? null);
  const shown = {
    ...{ message, isOwn, isFirst, isLast, quoted },
    author: nameOf(chat, message.author_id, state.people),
    receipt: isOwn && message.deleted_at === null ? receiptOf(chat, message) : null,
    mentioned: mentionedIn(state, message),
    reactions: message.reactions.map((one) => reactionOf(one, context)),
  };
  const names = shown.reactions.map(({ title }) => title).join("\n");
  const logins = shown.mentioned.map(({ login }) => login).join(" ");
  return {
    key: message.id,
    parts: [message, isFirst, isLast, quoted, shown.author, shown.receipt?.title, names, logins, mayWrite],
    make: () => messageRow(shown, context),
  };
}

// Whether an own message was read: {icon, title}.
function receiptOf(chat, message) {
  const { names, of } = readers(chat, message);
  if (of === 0) return null;
  if (names.length === 0) return { icon: "check", title: "Sent" };
  if (chat.chat_type === "direct") return { icon: "wholly", title: "Read" };
  return { icon: "wholly", title: names.length === of ? "Read by all" : `Read by ${listed(names)}` };
}

function reactionOf({ emoji, user_ids: userIds }, { chat, state }) {
  const isMine = userIds.includes(state.user.id);
  const names = userIds.map((userId) => (userId === state.user.id ? "you" : nameOf(chat, userId, state.people)));
  return { emoji, count: userIds.length, isMine, title: `${emoji} ${listed(names)}` };
}

function messageRow(shown, context) {
  const { message, isOwn, isFirst, author } = shown;
  const isDeleted = message.deleted_at !== null;
  const classes = ["message", isOwn && "own", isFirst && "first", message.pinned && "is-pinned", isDeleted && "is-deleted"];
  return element(
    "li",
    { class: classes.filter(Boolean).join(" "), tabindex: "-1", "data-message": message.id, "aria-label": labelOf(shown) },
    isOwn ? null : avatar(message.author_id, author),
    element(
      "div",
      { class: "column" },
      isFirst && !isOwn ? element("p", { class: "author" }, author) : null,
      element("div", { class: "line" }, bubble(shown, context), isDeleted ? null : toolsOf(message, context)),
      reactionsOf(shown, context),
    ),
  );
}

// A screen reader says whose it is and when, also where one sees it from the messages around.
function labelOf({ message, isOwn, author }) {
  const what = message.deleted_at === null ? message.body.slice(0, 300) : "Message deleted";
  return `${isOwn ? "You" : author}, ${time(message.created_at)}: ${what}`;
}

function bubble(shown, context) {
  const { message, quoted, mentioned } = shown;
  const isDeleted = message.deleted_at !== null;
  return element(
    "div",
    { class: "bubble" },
    message.forwarded_from_id === null || isDeleted ? null : element("p", { class: "forwarded faint" }, icon("forward"), "Forwarded"),
    message.reply_to_id === null || isDeleted ? null : quote(message, quoted, context),
    isDeleted ? element("p", { class: "text faint" }, "Message deleted") : bodyElement(message.body, mentioned, context.state.user.id),
    metaOf(shown),
  );
}

function metaOf({ message, receipt }) {
  const { icon: picture, title } = receipt ?? {};
  return element(
    "p",
    { class: "meta" },
    message.pinned ? element("span", { class: "pin-mark", title: "Pinned" }, icon("pin"), unseen("Pinned")) : null,
    message.edited_at !== null && message.deleted_at === null ? element("span", { class: "edited" }, "edited") : null,
    element("time", { datetime: message.created_at, title: fullTime(message.created_at) }, time(message.created_at)),
    receipt === null
      ? null
      : element("span", { class: picture === "wholly" ? "receipt is-read" : "receipt", title }, icon(picture), unseen(title)),
  );
}

function toolsOf(message, { actions, mayWrite, openMenu }) {
  const tool = (name, label, click) =>
    element("button", { class: "tool", type: "button", tabindex: "-1", "aria-label": label, title: label, on: { click } }, icon(name));
  return element(
    "div",
    { class: "tools" },
    mayWrite ? tool("react", "React", (event) => openMenu(message, event.currentTarget, true)) : null,
    mayWrite ? tool("reply", "Reply", () => actions.reply(message)) : null,
    tool("more", "More", (event) => openMenu(message, event.currentTarget)),
  );
}

function reactionsOf({ message, reactions }, { actions, mayWrite }) {
  if (reactions.length === 0) return null;
  return element(
    "ul",
    { class: "reactions", "aria-label": "Reactions" },
    ...reactions.map(({ emoji, count, isMine, title }) =>
      element(
        "li",
        {},
        element(
          "button",
          {
            ...{ class: "reaction", type: "button", tabindex: "-1", title, disabled: !mayWrite },
            ...{ "aria-pressed": String(isMine), "aria-label": title, on: { click: () => actions.react(message, emoji) } },
          },
          element("span", { class: "emoji", "aria-hidden": "true" }, emoji),
          element("span", { "aria-hidden": "true" }, String(count)),
        ),
      ),
    ),
  );
}

function quote(message, quoted, { actions, chat, state }) {
  const text = quoted === null ? "An earlier message" : quoted.deleted_at === null ? quoted.body.slice(0, 300) : "Message deleted";
  const jump = () => actions.jump(message.chat_id, message.reply_to_id);
  return element(
    "button",
    { class: "quote", type: "button", tabindex: "-1", title: "Show what this answers", on: { click: jump } },
    quoted === null ? null : element("strong", {}, quoted.author_id === state.user.id ? "You" : nameOf(chat, quoted.author_id, state.people)),
    element("span", { dir: "auto" }, text),
  );
}

function waitingRow(entry, { actions }) {
  const hasFailed = entry.failure !== null;
  const button = (label, click) => element("button", { class: "quiet", type: "button", on: { click } }, label);
  return element(
    "li",
    { class: hasFailed ? "message own waiting failed" : "message own waiting", tabindex: "-1" },
    element(
      "div",
      { class: "column" },
      element(
        "div",
        { class: "line" },
        element(
          "div",
          { class: "bubble" },
          bodyElement(entry.body, [], null),
          element("p", { class: "meta" }, hasFailed ? null : icon("waiting"), hasFailed ? "not sent" : unseen("Waiting to be sent")),
        ),
      ),
      hasFailed
        ? element(
            "p",
            { class: "failure problem", role: "alert" },
            element("span", {}, `Not sent: ${entry.failure} `),
            button("Try again", () => actions.retry(entry)),
            button("Discard", () => actions.discard(entry)),
          )
        : null,
    ),
  );
}

function dayRow(at) {
  return element("li", { class: "divider" }, element("time", { datetime: at }, day(at)));
}

function unreadRow() {
  return element("li", { class: "divider unread-mark" }, element("span", {}, "New messages"));
}
