// What the page has to say besides the chats: the connection, what went wrong, how much is unread, what was said just
// now for those who cannot see it.

import { byId, element, setText } from "./dom.js";
import { connectionNotice, nameOf } from "./selectors.js";

const BANNER_AFTER_MS = 1_000; // a connection that is back within a moment is not worth a word
const NOTICE_MS = 8_000;
const MOST_ANNOUNCED = 20; // lines that screen readers can still look back at

export class NoticesView {
  #banner = byId("connection");
  #notice = byId("notice");
  #announcer = byId("announcer");
  #forget;
  #bannerTimer = null;
  #noticeTimer = null;
  #shown = null;
  #title = null;

  /** `forget()` is called when a notice has been there for long enough. */
  constructor({ forget }) {
    this.#forget = forget;
    this.#notice.addEventListener("click", forget);
  }

  show(state) {
    this.showConnection(connectionNotice(state));
    this.#showNotice(state.user === null ? null : state.notice);
    const unread = Object.values(state.chats).reduce((sum, chat) => sum + chat.unread_count, 0);
    const title = unread > 0 ? `(${unread}) Chat` : "Chat";
    if (title !== this.#title) document.title = this.#title = title;
  }

  /** Say this about the connection; null: nothing. */
  showConnection(sentence) {
    if (sentence === null) {
      clearTimeout(this.#bannerTimer);
      this.#bannerTimer = null;
      this.#banner.hidden = true;
    } else {
      setText(this.#banner, sentence);
      this.#bannerTimer ??= setTimeout(() => (this.#banner.hidden = false), BANNER_AFTER_MS);
    }
  }

  /**
   * Read out what is said in the open chat, once; the list of messages itself is quiet, or history would be read, too.
   */
  announce(state, event) {
    const chat = state.chats[event.chat_id];
    if (event.type !== "new_message" || event.chat_id !== state.openChat || !chat) return;
    if (event.message.author_id === state.user.id) return;
    this.#announcer.append(element("p", {}, `${nameOf(chat, event.message.author_id)}: ${event.message.body}`));
    while (this.#announcer.childElementCount > MOST_ANNOUNCED) this.#announcer.firstElementChild.remove();
  }

  // In the window that is open on top, if there is one: what is behind it is not seen.
  #showNotice(sentence) {
    if (sentence === this.#shown) return;
    this.#shown = sentence;
    const dialogs = document.querySelectorAll("dialog[open]");
    (dialogs[dialogs.length - 1] ?? document.body).append(this.#notice);
    setText(this.#notice, sentence ?? "");
    this.#notice.hidden = sentence === null;
    clearTimeout(this.#noticeTimer);
    if (sentence !== null) this.#noticeTimer = setTimeout(this.#forget, NOTICE_MS);
  }
}
