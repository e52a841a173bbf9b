// What the user does with chats and their members; see actions.js.

const MOST_FOUND = 8;

export class ChatActions {
  #store;
  #session;
  #tried;

  /** `tried`: see Actions.tried. */
  constructor(store, session, tried) {
    this.#store = store;
    this.#session = session;
    this.#tried = tried;
  }

  /** The id of a new chat; the direct one of two people exists once. Throws what went wrong. */
  async create(kind, name, userIds) {
    const body = { chat_type: kind, user_ids: userIds };
    if (kind !== "direct") body.name = name;
    const chat = await this.#session.request("POST", "chats", body);
    this.#store.dispatch({ type: "chat_loaded", chat });
    return chat.id;
  }

  /** Change name, description or archived of a chat; its event shows it. Throws what went wrong. */
  change(chatId, changes) {
    return this.#session.request("PATCH", `chats/${chatId}`, changes);
  }

  /** Add people to a chat, one after the other. Throws what went wrong; those before it are in. */
  async addMembers(chatId, userIds) {
    for (const userId of userIds) await this.#session.request("POST", `chats/${chatId}/members`, { user_id: userId });
  }

  // Each of these resolves to whether it was done.

  archive(chatId, archived) {
    return this.#tried(() => this.change(chatId, { archived }));
  }

  pin(chatId, pinned) {
    return this.#tried(async () => {
      await this.#session.request("POST", `chats/${chatId}/pin`, { pinned });
      this.#store.dispatch({ type: "chat_pinned", chatId, pinned }); // nobody else's matter, so there is no event
    });
  }

  remove(chatId) {
    return this.#tried(() => this.#session.request("DELETE", `chats/${chatId}`));
  }

  leave(chatId) {
    return this.#tried(() => this.#session.request("POST", `chats/${chatId}/leave`));
  }

  changeMember(chatId, userId, rights) {
    return this.#tried(() => this.#session.request("PATCH", `chats/${chatId}/members/${userId}`, rights));
  }

  removeMember(chatId, userId) {
    return this.#tried(() => this.#session.request("DELETE", `chats/${chatId}/members/${userId}`));
  }

  /** People whose name or login has this text: [{id, login, name}]. Throws what went wrong. */
  async findPeople(text) {
    const pattern = `%${text.replace(/[\\%_]/gu, "\\$&")}%`;
    const query = new URLSearchParams({
      filter: JSON.stringify([["or", ["name", "ilike", pattern], ["login", "ilike", pattern]]]),
      fields: "id,login,name",
      order: "name",
      limit: String(MOST_FOUND),
    });
    return (await this.#session.request("GET", `api/users?${query}`)).data;
  }

  /** Open the panel about the open chat or that with its pinned messages, or close it where it is open. */
  toggleInfo() {
    this.#store.dispatch({ type: this.#store.state.isInfoOpen ? "panel_closed" : "info_opened" });
  }

  togglePinned(chatId) {
    this.#store.dispatch(this.#store.state.pinned === null ? { type: "pinned_opened", chatId } : { type: "panel_closed" });
  }

  closePanel() {
    this.#store.dispatch({ type: "panel_closed" });
  }
}
