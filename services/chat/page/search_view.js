// Searching: the field above the list, and what was found in place of the list.

import { chatItems, chatRow } from "./chat_rows.js";
import { KeyedList, byId, element, setText } from "./dom.js";
import { fullTime, shortTime } from "./format.js";
import { icon } from "./icons.js";
import { avatar, unseen } from "./parts.js";
import { highlighted } from "./rich_text.js";
import { chatsCalled, hueOf, nameOf, titleOf } from "./selectors.js";

const BEFORE_CHARS = 60; // of a long text, before the first word that was searched
const SHOWN_CHARS = 240;
const NOBODY = { members: [] }; // a chat that is not at hand

export class SearchView {
  #field = byId("seek");
  #close = byId("seek-close");
  #scope = byId("seek-scope");
  #browse = byId("browse");
  #found = byId("found");
  #chatsPart = byId("found-chats-part");
  #status = byId("found-status");
  #more = byId("more-found");
  #chats = new KeyedList(byId("found-chats"), chatRow);
  #messages = new KeyedList(byId("found-messages"), (item) => foundRow(item));
  #searching;

  /** `searching`: see searching.js; `closed()` is called when the user has enough of it. */
  constructor({ searching, closed }) {
    this.#searching = searching;
    this.#field.addEventListener("input", () => searching.type(this.#field.value));
    this.#field.addEventListener("keydown", (event) => {
      const first = this.#found.hidden ? byId("chats").querySelector("a") : this.#found.querySelector("a");
      if (event.key === "Enter" && this.#found.hidden) return; // nothing was searched
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        if (event.key === "Enter") first?.click();
        else first?.focus();
      }
    });
    this.#close.addEventListener("click", () => {
      searching.close();
      closed();
    });
    this.#scope.addEventListener("click", () => {
      searching.within(null);
      this.#field.focus();
    });
    this.#more.addEventListener("click", () => searching.more());
  }

  /** Give it the keyboard, and search in a chat, or with null in all of them. */
  open(chatId) {
    this.#searching.open(chatId);
    queueMicrotask(() => {
      this.#field.focus(); // a phone shows the field only now
      this.#field.select();
    });
  }

  show(state) {
    const { search } = state;
    const isAsked = search !== null && (search.text.trim() !== "" || search.chatId !== null);
    this.#browse.hidden = isAsked;
    this.#found.hidden = !isAsked;
    this.#close.hidden = search === null;
    if (search === null && this.#field.value !== "") this.#field.value = "";
    const scope = search?.chatId != null ? state.chats[search.chatId] : undefined;
    this.#scope.hidden = !scope;
    const scopeText = scope && `in ${titleOf(scope, state.user.id)}`;
    if (scope) this.#scope.replaceChildren(scopeText, unseen(": search everywhere instead"), icon("close"));
    if (!isAsked) return;
    const chats = search.chatId === null && search.text.trim() ? chatsCalled(state, search.text, search.chats) : [];
    this.#chatsPart.hidden = chats.length === 0;
    this.#chats.show(chatItems(state, chats));
    this.#messages.show((search.messages ?? []).map((message) => foundItem(state, message, search.text)));
    setText(this.#status, statusOf(search));
    this.#more.hidden = search.next === null || search.request !== null;
  }
}

function statusOf({ text, messages, request, failure }) {
  if (failure !== null) return failure;
  if (!text.trim()) return "Write what to look for.";
  if (messages === null) return "Searching…";
  if (messages.length > 0) return "";
  return request === null ? "No message was found." : "Searching…";
}

function foundItem(state, message, text) {
  const chat = state.chats[message.chat_id];
  const me = state.user.id;
  const title = chat ? titleOf(chat, me) : `Chat ${message.chat_id}`;
  const author = message.author_id === me ? "You" : nameOf(chat ?? NOBODY, message.author_id, state.people);
  const color = chat ? hueOf(chat, me) : 0;
  return { key: message.id, parts: [message.body, title, author, text], message, title, author, text, color };
}

function foundRow({ message, title, author, text, color }) {
  return element(
    "li",
    {},
    element(
      "a",
      { href: `#/chat/${message.chat_id}/${message.id}`, class: "chat-row found-row" },
      avatar(color, title),
      element("span", { class: "chat-name", dir: "auto" }, title),
      element("time", { class: "faint", datetime: message.created_at, title: fullTime(message.created_at) }, shortTime(message.created_at)),
      element("span", { class: "preview faint", dir: "auto" }, `${author}: `, ...highlighted(excerpt(message.body, text), text)),
    ),
  );
}

// A long text from a little before what was searched.
function excerpt(body, text) {
  const word = text.trim().split(/[\s"]+/u).find((one) => one.length > 1) ?? text;
  const at = body.toLowerCase().indexOf(word.toLowerCase());
  const from = at > BEFORE_CHARS ? body.lastIndexOf(" ", at - BEFORE_CHARS / 2) + 1 : 0;
  return (from > 0 ? "…" : "") + body.slice(from, from + SHOWN_CHARS).replace(/\s+/gu, " ");
}
