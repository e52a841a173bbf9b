// The list of chats, with what was said last and how much is unread.

import { KeyedList, byId, element, setText } from "./dom.js";
import { hue, initials, shortTime } from "./format.js";
import { nameOf, sortedChats, titleOf } from "./selectors.js";

const MOST_SHOWN = 99;

export class ChatListView {
  #list;
  #more = byId("more-chats");
  #empty = byId("no-chats");

  /** `readMore()` asks for the rest of the list. */
  constructor({ readMore }) {
    const container = byId("chats");
    this.#list = new KeyedList(container, chatRow);
    this.#more.addEventListener("click", readMore);
    container.addEventListener("keydown", walk);
  }

  show(state) {
    const chats = sortedChats(state);
    this.#list.show(
      chats.map((chat) => {
        const isOpen = chat.id === state.openChat;
        return { key: chat.id, parts: [chat, isOpen], chat, isOpen, me: state.user.id };
      }),
    );
    this.#more.hidden = state.nextPage === null;
    this.#empty.hidden = !state.isListed || chats.length > 0;
  }

  /** Give the keyboard to a chat of the list, or to the first one. */
  focus(chatId) {
    const row = this.#list.get(chatId) ?? byId("chats").firstElementChild;
    (row?.querySelector("a") ?? byId("new-chat")).focus();
  }
}

function chatRow({ chat, isOpen, me }) {
  const title = titleOf(chat, me);
  const unread = chat.unread_count;
  const at = chat.last_message?.created_at ?? chat.created_at;
  return element(
    "li",
    {},
    element(
      "a",
      { href: `#/chat/${chat.id}`, class: unread > 0 ? "chat-row unread" : "chat-row", "aria-current": isOpen ? "true" : null },
      element("span", { class: `avatar ${hue(hueOf(chat, me))}`, "aria-hidden": "true" }, initials(title)),
      element("span", { class: "chat-name" }, title),
      element("time", { class: "faint", datetime: at }, shortTime(at)),
      element("span", { class: "preview faint" }, preview(chat, me)),
      unread > 0
        ? element(
            "span",
            { class: "count" },
            element("span", { "aria-hidden": "true" }, unread > MOST_SHOWN ? `${MOST_SHOWN}+` : String(unread)),
            element("span", { class: "unseen" }, `${unread} unread`),
          )
        : null,
    ),
  );
}

function preview(chat, me) {
  const last = chat.last_message;
  if (last === null) return chat.chat_type === "channel" ? "Channel" : "Nothing said yet";
  const text = last.deleted_at === null ? last.body : "Message deleted";
  if (last.author_id === me) return `You: ${text}`;
  return chat.chat_type === "direct" ? text : `${nameOf(chat, last.author_id)}: ${text}`;
}

// A direct chat has the colour of the other one.
export function hueOf(chat, me) {
  const other = chat.members.find((member) => member.user_id !== me);
  return chat.chat_type === "direct" && other ? other.user_id : chat.id + 3;
}

// Up and Down walk through the list, Home and End to its ends.
function walk(event) {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const here = links.indexOf(document.activeElement);
  const there = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: links.length - 1 }[event.key];
  if (here < 0 || there === undefined) return;
  event.preventDefault();
  links[there]?.focus();
}

