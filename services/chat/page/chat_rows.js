// How a chat looks in a list.

import { element } from "./dom.js";
import { listed, shortTime } from "./format.js";
import { icon } from "./icons.js";
import { avatar, unseen } from "./parts.js";
import { hueOf, nameOf, partnerOf, titleOf, typists } from "./selectors.js";

const MOST_SHOWN = 99;

/** Items for a KeyedList. */
export function chatItems(state, chats) {
  return chats.map((chat) => {
    const shown = {
      ...{ chat, me: state.user.id, isOpen: chat.id === state.openChat },
      isOnline: state.online[partnerOf(chat, state.user.id)?.user_id] ?? false,
      typing: listed(typists(state, chat)),
      waiting: state.outbox.findLast((entry) => entry.chatId === chat.id && !entry.isEchoed)?.body ?? null,
      draft: chat.id === state.openChat ? "" : (state.drafts[chat.id]?.body.trim() ?? ""), // there one sees it anyway
    };
    return { key: chat.id, parts: Object.values(shown), shown };
  });
}

/** The element of such an item. */
export function chatRow({ shown }) {
  const { chat, me, isOpen, isOnline } = shown;
  const title = titleOf(chat, me);
  const at = chat.last_message?.created_at ?? chat.created_at;
  const classes = chat.unread_count > 0 ? "chat-row unread" : "chat-row";
  return element(
    "li",
    {},
    element(
      "a",
      { href: `#/chat/${chat.id}`, class: classes, "aria-current": isOpen ? "true" : null },
      avatar(hueOf(chat, me), title, { isOnline }),
      element("span", { class: "chat-name", dir: "auto" }, title, isOnline ? unseen(" (online)") : null),
      element("time", { class: "faint", datetime: at }, shortTime(at)),
      preview(shown),
      marks(chat),
    ),
  );
}

function preview({ chat, me, typing, waiting, draft }) {
  if (typing) return element("span", { class: "preview is-typing" }, chat.chat_type === "direct" ? "typing…" : `${typing}: typing…`);
  return element("span", { class: "preview faint", dir: "auto" }, ...words(chat, me, waiting, draft));
}

function words(chat, me, waiting, draft) {
  if (draft !== "") return [icon("compose"), `Draft: ${draft.slice(0, 200)}`];
  return waiting === null ? [lastWords(chat, me)] : [icon("waiting"), `You: ${waiting.slice(0, 200)}`];
}

function lastWords(chat, me) {
  const last = chat.last_message;
  if (last === null) return chat.chat_type === "channel" ? "Channel" : "Nothing said yet";
  const text = last.deleted_at === null ? last.body.slice(0, 200) : "Message deleted";
  if (last.author_id === me) return `You: ${text}`;
  return chat.chat_type === "direct" ? text : `${nameOf(chat, last.author_id)}: ${text}`;
}

function marks({ unread_count: unread, mention_count: mentions, pinned }) {
  const mark = (classes, shown, said) => element("span", { class: classes }, element("span", { "aria-hidden": "true" }, shown), unseen(said));
  return element(
    "span",
    { class: "marks" },
    mentions > 0 ? mark("count at", "@", `${mentions} mention you`) : null,
    unread > 0 ? mark("count", unread > MOST_SHOWN ? `${MOST_SHOWN}+` : String(unread), `${unread} unread`) : null,
    pinned && unread === 0 ? mark("kept", icon("pin"), "kept at the top") : null,
  );
}
