// What is written and not sent, kept over a reload or a crash: an item of the browser's storage for each chat, so that
// two tabs that write in two chats do not meet, and in one chat the last one wins.
//
// It lies where the session does (kept_session.js), and goes with it. With "Stay signed in" that is localStorage, which
// tabs share; without, sessionStorage: nobody finds it there who comes to the same browser when the tab was closed.

const KEPT_AS = "starling.draft.";
const MOST_CHATS = 50;
const LONGEST_TEXT = 65_536; // characters, as many as a message may have
const MOST_IN_ALL = 1_048_576; // characters: the smallest storages have room for two and a half times as many
const QUOTED = 200; // characters that are shown of the message that is answered

export class KeptDrafts {
  #place = null;
  #own = null; // what the names of the user's items begin with
  #saved = {};
  #now;

  constructor(now = Date.now) {
    this.#now = now;
  }

  /** The drafts of this user, by chat; those of anybody else are gone. `place` is a Storage, kept to from now on. */
  begin(userId, place) {
    this.#place = place;
    this.#own = `${KEPT_AS}${userId}.`;
    this.#saved = {};
    for (const { name, text } of this.#items()) {
      const draft = name.startsWith(this.#own) ? parsed(text) : null;
      if (draft === null) place.removeItem(name);
      else this.#saved[name.slice(this.#own.length)] = draft;
    }
    return this.#saved;
  }

  /** Keep these, and no others. What does not fit is kept in the page only. */
  save(drafts) {
    if (drafts === this.#saved || this.#place === null) return;
    const before = this.#saved;
    this.#saved = drafts;
    for (const chatId of Object.keys(before)) if (!(chatId in drafts)) this.#place.removeItem(this.#own + chatId);
    for (const [chatId, draft] of Object.entries(drafts)) if (draft !== before[chatId]) this.#write(chatId, draft);
  }

  /** What another tab did, by a "storage" event: {chatId, draft, or null when it is gone}; null if it is no draft. */
  hear({ key, newValue, storageArea }) {
    if (this.#place === null || storageArea !== this.#place || !key?.startsWith(this.#own)) return null;
    const chatId = key.slice(this.#own.length);
    const draft = newValue === null ? null : parsed(newValue);
    const { [chatId]: _, ...others } = this.#saved;
    this.#saved = draft === null ? others : { ...others, [chatId]: draft }; // it is there: not to be written again
    return { chatId: Number(chatId), draft };
  }

  /** Keep nothing of this user any more, and nothing that is to come. */
  end() {
    if (this.#place === null) return;
    for (const { name } of this.#items()) if (name.startsWith(this.#own)) this.#place.removeItem(name);
    this.#place = this.#own = null;
    this.#saved = {};
  }

  #write(chatId, draft) {
    const name = this.#own + chatId;
    const text = JSON.stringify({ ...shortened(draft), at: this.#now() });
    const others = this.#items().filter((item) => item.name !== name);
    let size = others.reduce((sum, item) => sum + item.text.length, text.length);
    if (others.length >= MOST_CHATS || size > MOST_IN_ALL) others.sort((one, other) => atOf(one.text) - atOf(other.text));
    while (others.length > 0 && (others.length >= MOST_CHATS || size > MOST_IN_ALL)) {
      const oldest = others.shift();
      size -= oldest.text.length;
      this.#place.removeItem(oldest.name);
    }
    try {
      this.#place.setItem(name, text);
    } catch (error) {
      console.warn("a draft is not kept over a reload:", error);
    }
  }

  #items() {
    const names = Array.from({ length: this.#place.length }, (_, at) => this.#place.key(at));
    const found = names.filter((name) => name?.startsWith(KEPT_AS));
    return found.map((name) => ({ name, text: this.#place.getItem(name) ?? "" }));
  }
}

function shortened({ body, replyTo, edit }) {
  return {
    body: body.slice(0, LONGEST_TEXT),
    replyTo: replyTo && quoted(replyTo, QUOTED),
    edit: edit && { message: quoted(edit.message, LONGEST_TEXT), body: edit.body.slice(0, LONGEST_TEXT) },
  };
}

function quoted({ id, chat_id, author_id, body }, length) {
  return { id, chat_id, author_id, body: body.slice(0, length) };
}

function parsed(text) {
  try {
    const { body, replyTo, edit } = JSON.parse(text);
    return typeof body === "string" ? { body, replyTo, edit } : null;
  } catch {
    return null; // nothing of ours
  }
}

function atOf(text) {
  try {
    return JSON.parse(text).at;
  } catch {
    return 0;
  }
}
