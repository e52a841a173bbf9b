// Who is there: the connection itself, who is online, who types, and what people are called.

export const TYPING_MS = 5_000; // a typist says so every three seconds

/** Changes of these by action, for state.js. */
export const PRESENCE_REDUCERS = {
  status: (state, { status, code = null }) => ({
    ...state,
    status,
    closeCode: code,
    isLost: status === "waiting" || (state.isLost && status === "connecting"),
    online: status === "live" ? state.online : {}, // what is not heard of is not known
  }),
  present: (state, { userIds }) => {
    const came = userIds.filter((userId) => !state.online[userId]);
    if (came.length === 0) return state;
    return { ...state, online: { ...state.online, ...Object.fromEntries(came.map((userId) => [userId, true])) } };
  },
  people_loaded: (state, { userIds, users }) => {
    const found = Object.fromEntries(users.map(({ id, login, name }) => [id, { login, name }]));
    const asked = userIds.map((userId) => [userId, found[userId] ?? { login: null, name: null }]);
    return { ...state, people: { ...state.people, ...Object.fromEntries(asked) } };
  },
  typing_expired: (state, { now }) =>
    Object.keys(state.typing).length === 0 ? state : { ...state, typing: stillTyping(state.typing, now) },
};

/** The state after an event that has no place in a stream. */
export function afterEphemeral(state, event, now) {
  const { chat_id: chatId, user_id: userId } = event;
  if (event.type === "presence") return { ...state, online: { ...state.online, [userId]: event.online } };
  if (event.type !== "typing" || userId === state.user.id) return state;
  return { ...state, typing: { ...state.typing, [chatId]: { ...state.typing[chatId], [userId]: now + TYPING_MS } } };
}

/** Who types, once a message has come: its author does not. */
export function notTyping(typing, message) {
  const { [message.author_id]: _, ...others } = typing[message.chat_id] ?? {};
  return { ...typing, [message.chat_id]: others };
}

function stillTyping(typing, now) {
  const left = {};
  for (const [chatId, users] of Object.entries(typing)) {
    const some = Object.entries(users).filter(([, until]) => until > now);
    if (some.length > 0) left[chatId] = Object.fromEntries(some);
  }
  return left;
}
