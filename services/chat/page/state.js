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
//   timelines   by chat: see timelines.js
//   target      the message that is to be shown: {chatId, messageId, isSought}, or null
//   pinned      {chatId, messages, isStale} of the panel with pinned messages, or null while it is closed
//   isInfoOpen  whether the panel about the chat is open
//   search      see search_state.js, or null while nothing is searched
//   typing      by chat, by user: until when it is shown, in ms
//   online      by user: true for those who are
//   people      by user: {login, name}, as far as they were looked up; login is null for who cannot be
//   outbox      messages of the user that are not in a timeline yet: see outbox_state.js
//   drafts      by chat: what is written there and not sent, see draft_state.js
//   replyTo, editing       the message that is being replied to, or edited, in the open chat, or null
//   notice      a sentence for the user, or null

import { chatAfter, leavesUnreadUnknown, memberOf } from "./chat_events.js";
import { DRAFT_REDUCERS, withoutWriting, writingIn } from "./draft_state.js";
import { OUTBOX_REDUCERS, outboxAfter } from "./outbox_state.js";
import { PRESENCE_REDUCERS, afterEphemeral, notTyping } from "./presence_state.js";
import { SEARCH_REDUCERS } from "./search_state.js";
import { emptyTimeline, timelineAfter, whileAsking, withPage, withoutPage } from "./timelines.js";

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
    target: null,
    pinned: null,
    isInfoOpen: false,
    search: null,
    typing: {},
    online: {},
    people: {},
    outbox: [],
    drafts: {},
    replyTo: null,
    editing: null,
    notice: null,
  };
}

const REDUCERS = {
  ...DRAFT_REDUCERS,
  ...OUTBOX_REDUCERS,
  ...PRESENCE_REDUCERS,
  ...SEARCH_REDUCERS,

  signed_in: (state, { user, drafts = {} }) => {
    const { openChat } = state;
    return { ...initialState(state), openChat, user, drafts, ...writingIn(drafts, openChat) };
  },
  signed_out: (state, { notice = null }) => ({ ...initialState(state), openChat: state.openChat, notice }),
  network: (state, { isOnline }) => ({ ...state, isOnline }),
  notice: (state, { notice }) => ({ ...state, notice }),

  chats_loaded: (state, { chats, next, isFirst }) => {
    // The list is read again after each reconnection, for chats that are new. The stream keeps the others, but for
    // what is the user's own matter and no event: whether he has them at the top.
    const unknown = chats.filter((chat) => !(chat.id in state.chats));
    const known = chats.filter((chat) => chat.id in state.chats).reduce((next_state, chat) => withPin(next_state, chat), state);
    const nextPage = isFirst && state.isListed ? state.nextPage : next;
    return { ...unknown.reduce(withFreshChat, known), isListed: true, nextPage };
  },
  chat_loaded: (state, { chat }) => withFreshChat(state, chat),
  chat_gone: (state, { chatId }) => withoutChat(state, chatId),
  chat_pinned: (state, { chatId, pinned }) => (chatId in state.chats ? withPin(state, { id: chatId, pinned }) : state),
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
    const target = state.target?.chatId === chatId ? state.target : null;
    const panel = { pinned: null, isInfoOpen: false };
    return { ...state, openChat: chatId, timelines, target, ...panel, ...writingIn(state.drafts, chatId), notice: null };
  },
  history_requested: (state, { chatId, request, part = "before" }) => {
    const known = part === "around" ? undefined : state.timelines[chatId];
    const unreadAfter = known?.unreadAfter ?? state.timelines[chatId]?.unreadAfter ?? unreadMark(state, chatId);
    return withTimeline(state, chatId, whileAsking(known ?? emptyTimeline(unreadAfter), request));
  },
  history_loaded: (state, { chatId, request, ...page }) => {
    const timeline = state.timelines[chatId];
    if (timeline?.request !== request) return state; // reset meanwhile: it is being read again
    const deleted = page.messages.filter((message) => message.deleted_at !== null).map((message) => message.id);
    return withoutWriting(withTimeline(state, chatId, withPage(timeline, page)), chatId, deleted);
  },
  history_failed: (state, { chatId, request }) => {
    const timeline = state.timelines[chatId];
    if (timeline?.request !== request) return state;
    if (!timeline.isLoaded) return { ...state, timelines: without(state.timelines, chatId) };
    return withTimeline(state, chatId, withoutPage(timeline));
  },
  newest_wanted: (state, { chatId }) =>
    (state.timelines[chatId]?.after ?? null) === null ? state : { ...state, timelines: without(state.timelines, chatId), target: null },

  target_set: (state, { chatId, messageId }) => ({ ...state, target: { chatId, messageId, isSought: false } }),
  target_sought: (state) => ({ ...state, target: { ...state.target, isSought: true } }),
  target_shown: (state) => ({ ...state, target: null }),

  pinned_opened: (state, { chatId }) => ({ ...state, pinned: { chatId, messages: null, isStale: true }, isInfoOpen: false }),
  pinned_requested: (state) => ({ ...state, pinned: { ...state.pinned, isStale: false } }),
  pinned_failed: (state, { chatId }) =>
    state.pinned?.chatId === chatId ? { ...state, pinned: { ...state.pinned, isStale: true } } : state,
  pinned_loaded: (state, { chatId, messages }) =>
    state.pinned?.chatId === chatId ? { ...state, pinned: { ...state.pinned, messages } } : state,
  info_opened: (state) => ({ ...state, pinned: null, isInfoOpen: true }),
  panel_closed: (state) => ({ ...state, pinned: null, isInfoOpen: false }),
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

function withEventInLists(state, event) {
  let next = state;
  const timeline = state.timelines[event.chat_id];
  if (timeline) next = withTimeline(next, event.chat_id, timelineAfter(timeline, event));
  if (state.pinned?.chatId === event.chat_id) next = { ...next, pinned: pinnedAfter(state.pinned, event) };
  if (event.type === "message_deleted") next = withoutWriting(next, event.chat_id, [event.message_id]);
  if (event.type !== "new_message") return next;
  // The message has come: its author types no longer, and if it is our own, it waits no longer.
  return outboxAfter({ ...next, typing: notTyping(next.typing, event.message) }, event.message);
}

function pinnedAfter(pinned, event) {
  const isOfPins = event.type === "message_pinned" || event.type === "message_deleted";
  return isOfPins || event.type === "message_edited" ? { ...pinned, isStale: true } : pinned;
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
    drafts: without(state.drafts, chatId),
    pinned: state.pinned?.chatId === chatId ? null : state.pinned,
    isInfoOpen: isOpen ? false : state.isInfoOpen,
    replyTo: isOpen ? null : state.replyTo,
    editing: isOpen ? null : state.editing,
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

function withPin(state, { id, pinned = false }) {
  const { pinned: was = false, ...chat } = state.chats[id];
  if (was === pinned) return state;
  return { ...state, chats: { ...state.chats, [id]: pinned ? { ...chat, pinned } : chat } };
}

function without(things, key) {
  const { [key]: _, ...rest } = things;
  return rest;
}
