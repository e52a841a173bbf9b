// What the views show, worked out from the state. Pure.

import { memberOf } from "./chat_events.js";

const GROUP_MS = 5 * 60_000; // messages of one author within it stand together

/** The chats, the one with the newest message first. */
export function sortedChats(state) {
  return Object.values(state.chats).sort((one, other) => activity(other) - activity(one) || other.id - one.id);
}

/** What a chat is called: its name, else those in it besides the user. */
export function titleOf(chat, me) {
  if (chat.name) return chat.name;
  const others = chat.members.filter((member) => member.user_id !== me);
  return others.map((member) => member.name).join(", ") || "Just you";
}

/** The name of somebody in a chat; who left is known by number only. */
export function nameOf(chat, userId) {
  return memberOf(chat, userId)?.name ?? `User ${userId}`;
}

/** Whether the user may do this in a chat now. `right` is can_write, can_pin and the like. */
export function may(state, chat, right) {
  const member = memberOf(chat, state.user.id);
  const isReadOnly = chat.archived && right !== "can_read";
  return member !== undefined && !isReadOnly && (member.is_admin || member[right]);
}

/** Everybody whom the user shares a known chat with, by name: [{id, name}]. */
export function acquaintances(state) {
  const found = new Map();
  for (const chat of Object.values(state.chats)) {
    for (const member of chat.members) found.set(member.user_id, member.name);
  }
  found.delete(state.user.id);
  return [...found].map(([id, name]) => ({ id, name })).sort((one, other) => one.name.localeCompare(other.name));
}

/** The names of those who type in a chat. */
export function typists(state, chat) {
  return Object.keys(state.typing[chat.id] ?? {}).map((userId) => nameOf(chat, Number(userId)));
}

/** How many others have read up to a message: {count, of}. */
export function readers(chat, message) {
  const others = chat.members.filter((member) => member.user_id !== message.author_id);
  const count = others.filter((member) => (member.last_read_message_id ?? 0) >= message.id).length;
  return { count, of: others.length };
}

/**
 * What stands in a conversation, from top to bottom: {kind: "day", at}, {kind: "unread"}, {kind: "message", message,
 * isOwn, isFirst, isLast} and {kind: "waiting", entry}. `isFirst` begins a group of one author, `isLast` ends it.
 */
export function rows(state, chat, timeline) {
  const me = state.user.id;
  const found = [];
  let before = null;
  let isMarked = timeline.unreadAfter === null;
  let last = null; // row of the message before
  for (const message of timeline.messages) {
    const isNewDay = before === null || dayOf(before.created_at) !== dayOf(message.created_at);
    if (isNewDay) found.push({ kind: "day", at: message.created_at });
    const isUnread = !isMarked && message.id > timeline.unreadAfter && message.author_id !== me;
    if (isUnread) {
      found.push({ kind: "unread" });
      isMarked = true;
    }
    const isFirst = isNewDay || isUnread || !belongTogether(before, message);
    if (last !== null) last.isLast = isFirst;
    last = { kind: "message", message, isOwn: message.author_id === me, isFirst, isLast: true };
    found.push(last);
    before = message;
  }
  const waiting = state.outbox.filter((entry) => entry.chatId === chat.id && !entry.isEchoed);
  return [...found, ...waiting.map((entry) => ({ kind: "waiting", entry }))];
}

/** The sentence about the connection that the user should know, or null while all is well. */
export function connectionNotice(state) {
  if (state.user === null) return null;
  if (state.status === "stopped" && state.closeCode !== null) {
    return `The server closed the connection for good (${state.closeCode}). Reload the page to try again.`;
  }
  if (!state.isLost) return null;
  return state.isOnline
    ? "Connection lost. Reconnecting…"
    : "You are offline. What you write is kept here and sent when you are back.";
}

function belongTogether(before, message) {
  const isClose = Date.parse(message.created_at) - Date.parse(before.created_at) < GROUP_MS;
  return before.author_id === message.author_id && isClose;
}

function activity(chat) {
  return Date.parse(chat.last_message?.created_at ?? chat.created_at);
}

function dayOf(at) {
  return new Date(at).toDateString();
}
