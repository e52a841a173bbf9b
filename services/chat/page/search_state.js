// What is being searched for, and what was found:
//
//   text        the question
//   chatId      the only chat to look in, or null for all
//   chats       ids of the chats that are called so, as the server knows them
//   messages    newest first, or null while nothing was answered
//   next        cursor of more, or null
//   request     number of the question that is on its way, or null
//   failure     a sentence, when it was refused
//   isInFront   whether a phone shows it rather than the chat that was opened from it

const EMPTY = { text: "", chatId: null, chats: [], messages: null, next: null, request: null, failure: null, isInFront: true };

/** Changes of the search by action, for state.js. */
export const SEARCH_REDUCERS = {
  search_opened: (state, { chatId = null }) => ({
    ...state,
    search: { ...EMPTY, ...state.search, chatId, messages: null, isInFront: true },
  }),
  search_text: (state, { text }) => ({
    ...state,
    search: { ...EMPTY, chatId: state.search?.chatId ?? null, messages: text.trim() ? (state.search?.messages ?? null) : null, text },
  }),
  search_scope: (state, { chatId }) => ({ ...state, search: { ...state.search, chatId, messages: null, next: null } }),
  search_requested: (state, { request }) => withSearch(state, { request, failure: null }),
  search_loaded: (state, { request, messages, next, isMore }) => {
    if (state.search?.request !== request) return state; // another question was asked meanwhile
    const all = isMore ? [...state.search.messages, ...messages] : messages;
    return withSearch(state, { request: null, messages: all, next });
  },
  search_chats: (state, { request, chatIds }) => (state.search?.request === request ? withSearch(state, { chats: chatIds }) : state),
  search_failed: (state, { request, sentence }) =>
    state.search?.request === request ? withSearch(state, { request: null, failure: sentence, messages: [], next: null }) : state,
  search_behind: (state) => (state.search === null ? state : withSearch(state, { isInFront: false })),
  search_closed: (state) => ({ ...state, search: null }),
};

function withSearch(state, changes) {
  return state.search === null ? state : { ...state, search: { ...state.search, ...changes } };
}
