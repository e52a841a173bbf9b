// The panel beside a conversation: its pinned messages, or what there is to know and to do about the chat.

import { KeyedList, byId, element, setText } from "./dom.js";
import { fullTime, shortTime } from "./format.js";
import { InfoView } from "./info_view.js";
import { may, mentionedIn, nameOf } from "./selectors.js";
import { bodyElement } from "./rich_text.js";

export class PanelView {
  #panel = byId("panel");
  #title = byId("panel-title");
  #place = byId("panel-body");
  #info;
  #pinned;
  #shown = null; // "pinned" or "info"

  constructor({ actions, chatActions, addPeople }) {
    this.#info = new InfoView({ chatActions, addPeople });
    this.#pinned = new PinnedView(actions, () => matchMedia("(max-width: 1179px)").matches && chatActions.closePanel());
    byId("panel-close").addEventListener("click", () => {
      const opener = byId(this.#shown === "info" ? "show-info" : "show-pinned");
      chatActions.closePanel();
      opener.focus();
    });
  }

  show(state, chat) {
    const wanted = chat === null ? null : state.pinned !== null ? "pinned" : state.isInfoOpen ? "info" : null;
    const isNew = wanted !== this.#shown;
    this.#shown = wanted;
    this.#panel.hidden = wanted === null;
    if (wanted === null) return this.#place.replaceChildren();
    const view = wanted === "info" ? this.#info : this.#pinned;
    if (isNew) this.#place.replaceChildren(...view.elements);
    setText(this.#title, wanted === "info" ? "About this chat" : "Pinned messages");
    view.show(state, chat);
    return isNew && this.#title.focus();
  }
}

class PinnedView {
  #items = element("ul", { class: "pinned-list", id: "pinned-list" });
  #empty = element("p", { class: "empty", id: "no-pinned" }, "Nothing is pinned. What you pin is kept here for everybody.");
  #list;
  #actions;
  #jumped;

  constructor(actions, jumped) {
    this.#actions = actions;
    this.#jumped = jumped;
    this.#list = new KeyedList(this.#items, (item) => this.#row(item));
  }

  get elements() {
    return [this.#items, this.#empty];
  }

  show(state, chat) {
    const messages = state.pinned.messages ?? [];
    const mayUnpin = may(state, chat, "can_pin");
    this.#empty.hidden = state.pinned.messages === null || messages.length > 0;
    this.#list.show(
      messages.map((message) => {
        const author = nameOf(chat, message.author_id, state.people);
        const mentioned = mentionedIn(state, message);
        return { key: message.id, parts: [message.body, author, mayUnpin], message, author, mayUnpin, mentioned, me: state.user.id };
      }),
    );
  }

  #row({ message, author, mayUnpin, mentioned, me }) {
    const jump = () => {
      this.#actions.jump(message.chat_id, message.id);
      this.#jumped();
    };
    const unpin = () => this.#actions.pin(message, false);
    return element(
      "li",
      {},
      element(
        "p",
        { class: "faint" },
        element("strong", {}, author),
        " · ",
        element("time", { datetime: message.created_at, title: fullTime(message.created_at) }, shortTime(message.created_at)),
      ),
      bodyElement(message.body, mentioned, me),
      element(
        "p",
        { class: "buttons" },
        element("button", { class: "quiet", type: "button", on: { click: jump } }, "Show"),
        mayUnpin ? element("button", { class: "quiet", type: "button", on: { click: unpin } }, "Unpin") : null,
      ),
    );
  }
}
