// What is written and not sent, by chat:
//
//   {body, replyTo (the message that it answers, or null), edit: {message, body (what it is to become)}, or null}
//
// `replyTo` and `editing` of the state are those of the open chat. While a message is edited, `body` waits behind it.

const NOTHING = Object.freeze({ body: "", replyTo: null, edit: null });

/** Changes of the drafts by action, for state.js. */
export const DRAFT_REDUCERS = {
  drafted: (state, { chatId, text }) => {
    const draft = state.drafts[chatId] ?? NOTHING;
    const changes = draft.edit === null ? { body: text } : { edit: { ...draft.edit, body: text } };
    return withDraft(state, chatId, { ...draft, ...changes });
  },
  draft_heard: (state, { chatId, draft }) => withDraft(state, chatId, draft),
  replying: (state, { message }) => withWriting(state, { replyTo: message, edit: null }),
  editing: (state, { message }) =>
    withWriting(state, { replyTo: null, edit: message === null ? null : { message, body: message.body } }),
  edit_done: (state, { message }) => {
    const draft = state.drafts[message.chat_id];
    return draft?.edit?.message.id === message.id ? withDraft(state, message.chat_id, { ...draft, edit: null }) : state;
  },
};

/** What is replied to and edited in a chat: {replyTo, editing}. */
export function writingIn(drafts, chatId) {
  const { replyTo, edit } = drafts[chatId] ?? NOTHING;
  return { replyTo, editing: edit?.message ?? null };
}

/** What stands in the place to write of a chat. */
export function textIn(drafts, chatId) {
  const { body, edit } = drafts[chatId] ?? NOTHING;
  return edit?.body ?? body;
}

/** Whether anything was written and not sent. */
export function isAnyDrafted(drafts) {
  return Object.values(drafts).some(({ body, edit }) => body.trim() !== "" || (edit !== null && edit.body !== edit.message.body));
}

/** Whether nothing has changed but the draft of the open chat: with each key, so that not all is to be shown anew. */
export function isDraftOnly(before, state) {
  const { drafts, openChat } = state;
  if (openChat === null || !Object.keys(state).every((key) => key === "drafts" || state[key] === before[key])) return false;
  return Object.keys({ ...before.drafts, ...drafts }).every((id) => Number(id) === openChat || drafts[id] === before.drafts[id]);
}

/** The state with another draft of a chat, or with null none. One that says nothing is none. */
export function withDraft(state, chatId, draft) {
  const isNone = draft === null || (draft.body === "" && draft.replyTo === null && draft.edit === null);
  const { [chatId]: _, ...others } = state.drafts;
  const drafts = isNone ? others : { ...others, [chatId]: draft };
  return { ...state, drafts, ...(chatId === state.openChat ? writingIn(drafts, chatId) : {}) };
}

/** The state once some messages of a chat are deleted: they can be neither answered nor edited. */
export function withoutWriting(state, chatId, messageIds) {
  const draft = state.drafts[chatId];
  if (draft === undefined) return state;
  const isReplied = messageIds.includes(draft.replyTo?.id);
  const isEdited = messageIds.includes(draft.edit?.message.id);
  if (!isReplied && !isEdited) return state;
  return withDraft(state, chatId, { ...draft, replyTo: isReplied ? null : draft.replyTo, edit: isEdited ? null : draft.edit });
}

function withWriting(state, changes) {
  if (state.openChat === null) return state;
  return withDraft(state, state.openChat, { ...(state.drafts[state.openChat] ?? NOTHING), ...changes });
}
