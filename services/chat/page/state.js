// All that the page knows, and how it changes: `reduce(state, action)` gives the next state. Pure, so that it can be
// tested without a browser; what has to be asked of the server is done in effects.js, by looking at the state.
//
//   user        who is signed in: {id, login, name, is_admin}, or null
//   status      of the connection, as client.js tells it; `closeCode` with "stopped" and "waiting"
//   isLost      whether the connection was lost and is not back yet
//   isOnline    what the browser thinks of its network
//   chats       by id, as the server shows them
//   stale       by id: chats that are to be read anew, {atLeast (the seq that the answer must have), events (those that
//               came since that was known)}
//   isListed, nextPage     whether the list was read, and the cursor of the rest of it
//   openChat    the chat on the screen, or null
//   timelines   by chat: {messages (ascending), before (cursor of what is older, null at the beginning), isLoaded,
//               request (of the page that is on its way, or null), meanwhile (events that came since it was asked
//               for), unreadAfter (watermark when opened)}
//   pinned      {chatId, messages, isStale} of the panel with pinned messages, or null while it is closed
//   typing      by chat, by user: until when it is shown, in ms
//   outbox      messages of the user that are not in a timeline yet: {nonce, chatId, body, replyToId, at, isEchoed,
//               messageId (once acknowledged), failure (a sentence, once refused)}
//   replyTo     the message that is being replied to, or null
//   notice      a sentence for the user, or null

import { chatAfter, leavesUnreadUnknown, memberOf, merged, messagesAfter } from "./chat_events.js";

export const TYPING_MS = 5_000; // a typist says so every three seconds

export function initialState({ isOnline = true } = {}) {
  return {
    user: null,
    status: "stopped",
    closeCode: null,
    isLost: false,
    isOnline,
    chats: {},
    stale: {},
    isListed: false,
    nextPage: null,
    openChat: null,
    timelines: {},
    pinned: null,
    typing: {},
    outbox: [],
    replyTo: null,
    notice: null,
  };
}

const REDUCERS = {
  signed_in: (state, { user }) => ({ ...initialState(state), openChat: state.openChat, user }),
  signed_out: (state, { notice = null }) => ({ ...initialState(state), openChat: state.openChat, notice }),
  status: (state, { status, code = null }) => ({
    ...state,
    status,
    closeCode: code,
    isLost: status === "waiting" || (state.isLost && status === "connecting"),
  }),
  network: (state, { isOnline }) => ({ ...state, isOnline }),
  notice: (state, { notice }) => ({ ...state, notice }),

  chats_loaded: (state, { chats, next, isFirst }) => {
    // The list is read again after each reconnection, for chats that are new. The stream keeps the others.
    const unknown = chats.filter((chat) => !(chat.id in state.chats));
    const known = unknown.reduce(withFreshChat, state);
    const nextPage = isFirst && state.isListed ? state.nextPage : next;
    return { ...known, isListed: true, nextPage };
  },
  chat_loaded: (state, { chat }) => withFreshChat(state, chat),
  chat_gone: (state, { chatId }) => withoutChat(state, chatId),
  reset: (state, { chatId, seq }) => ({
    ...state,
    stale: { ...state.stale, [chatId]: { atLeast: seq, events: [] } },
    timelines: without(state.timelines, chatId),
    pinned: state.pinned?.chatId === chatId ? { ...state.pinned, isStale: true } : state.pinned,
  }),
  event: (state, { event, now }) => (event.seq === undefined ? afterEphemeral(state, event, now) : afterEvent(state, event)),

  opened: (state, { chatId }) => {
    const timeline = state.timelines[chatId];
    const unreadAfter = unreadMark(state, chatId);
    const timelines = timeline ? { ...state.timelines, [chatId]: { ...timeline, unreadAfter } } : state.timelines;
    return { ...state, openChat: chatId, timelines, pinned: null, replyTo: null, notice: null };
  },
  history_requested: (state, { chatId, request }) => {
    const fresh = { messages: [], before: null, meanwhile: [], unreadAfter: unreadMark(state, chatId), isLoaded: false };
    return withTimeline(state, chatId, { ...(state.timelines[chatId] ?? fresh), request });
  },
  history_loaded: (state, { chatId, request, messages, next }) => {
    const timeline = state.timelines[chatId];
    if (timeline?.request !== request) return state; // reset meanwhile: it is being read again
    const all = timeline.meanwhile.reduce(messagesAfter, merged(timeline.messages, messages));
    return withTimeline(state, chatId, {
      ...timeline,
      messages: all,
      before: next,
      request: null,
      isLoaded: true,
      meanwhile: [],
    });
  },
  history_failed: (state, { chatId, request }) => {
    const timeline = state.timelines[chatId];
    if (timeline?.request !== request) return state;
    if (!timeline.isLoaded) return { ...state, timelines: without(state.timelines, chatId) };
    return withTimeline(state, chatId, { ...timeline, request: null, meanwhile: [] });
  },

  pinned_opened: (state, { chatId }) => ({ ...state, pinned: { chatId, messages: null, isStale: true } }),
  pinned_closed: (state) => ({ ...state, pinned: null }),
  pinned_requested: (state) => ({ ...state, pinned: { ...state.pinned, isStale: false } }),
  pinned_failed: (state, { chatId }) =>
    state.pinned?.chatId === chatId ? { ...state, pinned: { ...state.pinned, isStale: true } } : state,
  pinned_loaded: (state, { chatId, messages }) =>
    state.pinned?.chatId === chatId ? { ...state, pinned: { ...state.pinned, messages } } : state,

  replying: (state, { message }) => ({ ...state, replyTo: message }),
  queued: (state, { entry }) => ({
    ...state,
    outbox: [...state.outbox, { ...entry, isEchoed: false, messageId: null, failure: null }],
    replyTo: null,
  }),
  retried: (state, { nonce }) => withEntry(state, nonce, { failure: null }),
  sent: (state, { nonce, messageId, seq }) => {
    const entry = state.outbox.find((one) => one.nonce === nonce);
    const isShown = !entry || !state.timelines[entry.chatId] || (state.chats[entry.chatId]?.last_seq ?? 0) >= seq;
    return isShown ? withoutEntry(state, nonce) : withEntry(state, nonce, { messageId });
  },
  refused: (state, { nonce, sentence }) => withEntry(state, nonce, { failure: sentence, isEchoed: false }),
  discarded: (state, { nonce }) => withoutEntry(state, nonce),
  typing_expired: (state, { now }) =>
    Object.keys(state.typing).length === 0 ? state : { ...state, typing: stillTyping(state.typing, now) },
};

/** The state after an action. Throws for an action that there is not. */
export function reduce(state, action) {
  return REDUCERS[action.type](state, action);
}

// -- events

function afterEvent(state, event) {
  const chatId = event.chat_id;
  const chat = state.chats[chatId];
  const awaited = state.stale[chatId] ?? (chat ? null : { atLeast: event.seq, events: [] });
  const kept = awaited === null ? state : withStale(state, chatId, { ...awaited, events: [...awaited.events, event] });
  if (!chat) return kept;
  const next = withEventInLists(kept, event);
  return event.seq <= chat.last_seq ? next : withEventInChat(next, chat, event);
}

function withEventInChat(state, chat, event) {
  const me = state.user.id;
  const after = chatAfter(chat, event, me);
  if (after === null) return withoutChat(state, chat.id);
  const next = { ...state, chats: { ...state.chats, [chat.id]: after } };
  const isUnknown = leavesUnreadUnknown(chat, event, me) || event.seq > chat.last_seq + 1;
  return isUnknown ? withStale(next, chat.id, { events: [], ...state.stale[chat.id], atLeast: event.seq }) : next;
}

// Timelines are read without a seq. What is in them was true at some time, and each later event says what is true
// after it: so all of them are applied, also those that the chat itself has behind it already.
function withEventInLists(state, event) {
  let next = state;
  const timeline = state.timelines[event.chat_id];
  if (timeline) {
    const meanwhile = timeline.request !== null ? [...timeline.meanwhile, event] : timeline.meanwhile;
    const messages = messagesAfter(timeline.messages, event);
    next = withTimeline(next, event.chat_id, { ...timeline, messages, meanwhile });
  }
  if (state.pinned?.chatId === event.chat_id) next = { ...next, pinned: pinnedAfter(state.pinned, event) };
  return event.type === "new_message" ? afterArrival(next, event.message) : next;
}

function pinnedAfter(pinned, event) {
  const isOfPins = event.type === "message_pinned" || event.type === "message_deleted";
  return isOfPins || event.type === "message_edited" ? { ...pinned, isStale: true } : pinned;
}

// The message has come: its author types no longer, and if it is our own, it waits no longer. It may come before its
// acknowledgement, and does not know its nonce; so the first waiting one of the same text is not shown until then.
function afterArrival(state, message) {
  const typing = { ...state.typing, [message.chat_id]: without(state.typing[message.chat_id] ?? {}, message.author_id) };
  let { outbox } = state;
  if (message.author_id === state.user.id) {
    const acknowledged = outbox.find((one) => one.messageId === message.id);
    const twin = outbox.find(
      (one) => one.chatId === message.chat_id && one.messageId === null && !one.isEchoed && one.body === message.body,
    );
    if (acknowledged) outbox = outbox.filter((one) => one !== acknowledged);
    else if (twin) outbox = outbox.map((one) => (one === twin ? { ...one, isEchoed: true } : one));
  }
  return { ...state, typing, outbox };
}

function afterEphemeral(state, event, now) {
  if (event.type !== "typing" || event.user_id === state.user.id) return state;
  const inChat = { ...state.typing[event.chat_id], [event.user_id]: now + TYPING_MS };
  return { ...state, typing: { ...state.typing, [event.chat_id]: inChat } };
}

function stillTyping(typing, now) {
  const left = {};
  for (const [chatId, users] of Object.entries(typing)) {
    const some = Object.entries(users).filter(([, until]) => until > now);
    if (some.length > 0) left[chatId] = Object.fromEntries(some);
  }
  return left;
}

// -- parts of the state

// A chat as the server showed it just now, and then the events that came since it was asked for. An answer that was on
// its way before the chat became stale is too old: the chat stays stale, and is asked for again.
function withFreshChat(state, chat) {
  const { atLeast, events } = state.stale[chat.id] ?? { atLeast: state.chats[chat.id]?.last_seq ?? 0, events: [] };
  if (chat.last_seq < atLeast) return state;
  const later = events.filter((event) => event.seq > chat.last_seq);
  const next = { ...state, chats: { ...state.chats, [chat.id]: chat }, stale: without(state.stale, chat.id) };
  return later.reduce((known_state, event) => {
    const known = known_state.chats[chat.id];
    return known ? withEventInChat(known_state, known, event) : known_state;
  }, next);
}

function withoutChat(state, chatId) {
  const isOpen = state.openChat === chatId;
  return {
    ...state,
    chats: without(state.chats, chatId),
    stale: without(state.stale, chatId),
    timelines: without(state.timelines, chatId),
    typing: without(state.typing, chatId),
    outbox: state.outbox.filter((entry) => entry.chatId !== chatId),
    pinned: state.pinned?.chatId === chatId ? null : state.pinned,
    openChat: isOpen ? null : state.openChat,
    notice: isOpen ? "You are not in this chat." : state.notice,
  };
}

// Where "new" begins in a chat that is opened: behind what was read, if there is something unread.
function unreadMark(state, chatId) {
  const chat = state.chats[chatId];
  if (!chat || chat.unread_count === 0) return null;
  return memberOf(chat, state.user.id)?.last_read_message_id ?? 0;
}

function withStale(state, chatId, entry) {
  return { ...state, stale: { ...state.stale, [chatId]: entry } };
}

function withTimeline(state, chatId, timeline) {
  return { ...state, timelines: { ...state.timelines, [chatId]: timeline } };
}

function withEntry(state, nonce, changes) {
  return { ...state, outbox: state.outbox.map((one) => (one.nonce === nonce ? { ...one, ...changes } : one)) };
}

function withoutEntry(state, nonce) {
  return { ...state, outbox: state.outbox.filter((one) => one.nonce !== nonce) };
}

function without(things, key) {
  const { [key]: _, ...rest } = things;
  return rest;
}
