// The open chat: who is in it, who types, and the parts that have files of their own.

import { ComposerView } from "./composer_view.js";
import { byId, setAttribute, setText } from "./dom.js";
import { forwardDialog } from "./forward_dialog.js";
import { hue, initials, listed } from "./format.js";
import { LogView } from "./log_view.js";
import { MessageMenu } from "./message_menu.js";
import { PanelView } from "./panel_view.js";
import { hueOf, may, partnerOf, titleOf, typists } from "./selectors.js";

export class ConversationView {
  #nothing = byId("nothing-open");
  #whole = byId("chat");
  #title = byId("chat-title");
  #avatar = byId("chat-avatar");
  #members = byId("chat-members");
  #showPinned = byId("show-pinned");
  #showInfo = byId("show-info");
  #typing = byId("typing");
  #log;
  #composer;
  #panel;
  #state = null;
  #chat = null;

  /** `addPeople(chat)` asks whom to add, `readHistory(chatId, part)` for more messages, `search(chatId)` what for. */
  constructor({ actions, chatActions, addPeople, readHistory, search }) {
    const menu = new MessageMenu({
      actions,
      forward: (message) => forwardDialog({ state: this.#state, message, actions }),
      focusMessage: (id) => this.#log.focusMessage(id),
    });
    this.#log = new LogView({ actions, menu, readHistory });
    this.#composer = new ComposerView({ actions, sent: () => this.#log.toNewest() });
    this.#panel = new PanelView({ actions, chatActions, addPeople });
    this.#showPinned.addEventListener("click", () => chatActions.togglePinned(this.#chat.id));
    this.#showInfo.addEventListener("click", () => chatActions.toggleInfo());
    this.#avatar.addEventListener("click", () => chatActions.toggleInfo());
    byId("seek-here").addEventListener("click", () => search(this.#chat.id));
    for (const [target, event] of [[window, "focus"], [document, "visibilitychange"]]) {
      target.addEventListener(event, () => this.#log.lookAgain());
    }
  }

  show(state) {
    const chat = state.chats[state.openChat] ?? null;
    this.#state = state;
    this.#chat = chat;
    this.#nothing.hidden = chat !== null;
    this.#whole.hidden = chat === null;
    this.#composer.show(state, chat);
    this.#panel.show(state, chat);
    if (chat === null) return this.#log.clear();
    this.#showHeader(state, chat);
    setText(this.#typing, typingText(typists(state, chat)));
    this.#log.show(state, chat);
    return this.#log.offerLast();
  }

  /** The same where nothing has changed but what is being written. */
  showDraft(state) {
    this.#state = state;
    this.#composer.show(state, this.#chat);
  }

  /** Give the keyboard to the text, or where one may not write, to the title. */
  focus() {
    if (this.#composer.isHidden) this.focusTitle();
    else this.#composer.focus();
  }

  /** Give it to the title, so that a phone shows the chat and not its keyboard. */
  focusTitle() {
    this.#title.focus();
  }

  /** Leave what is being done with a message. Whether there was anything. */
  cancel() {
    if (this.#state.replyTo === null && this.#state.editing === null) return false;
    this.#composer.cancel();
    return true;
  }

  #showHeader(state, chat) {
    const title = titleOf(chat, state.user.id);
    setText(this.#title, title);
    setText(this.#avatar, initials(title));
    setAttribute(this.#avatar, "class", `avatar ${hue(hueOf(chat, state.user.id))}`);
    setText(this.#members, subtitle(state, chat));
    const partner = partnerOf(chat, state.user.id);
    setAttribute(this.#members, "class", partner && state.online[partner.user_id] ? "faint is-online" : "faint");
    this.#showPinned.hidden = !may(state, chat, "can_read");
    setAttribute(this.#showPinned, "aria-expanded", String(state.pinned !== null));
    setAttribute(this.#showInfo, "aria-expanded", String(state.isInfoOpen));
  }
}

function subtitle(state, chat) {
  const partner = partnerOf(chat, state.user.id);
  if (partner) return state.online[partner.user_id] ? "online" : "offline";
  if (chat.members.length === 1) return "Just you";
  const names = chat.members.map((member) => (member.user_id === state.user.id ? "you" : member.name));
  const online = chat.members.filter((member) => member.user_id !== state.user.id && state.online[member.user_id]).length;
  const kind = chat.chat_type === "channel" ? "Channel · " : "";
  return `${kind}${listed(names)}${online > 0 ? ` · ${online} online` : ""}`;
}

function typingText(names) {
  if (names.length === 0) return "";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}
