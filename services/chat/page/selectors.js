// What the views show, worked out from the state. Pure.

import { memberOf } from "./chat_events.js";

const MOST_MENTIONS = 6; // people who are offered
const GROUP_MS = 5 * 60_000; // messages of one author within it stand together

/** The chats: those that the user keeps at the top, then the one with the newest message first. */
export function sortedChats(state) {
  return Object.values(state.chats).sort(
    (one, other) => (other.pinned ?? false) - (one.pinned ?? false) || activity(other) - activity(one) || other.id - one.id,
  );
}

/** The chats with a text in their title, and those besides that the server found to be called so. */
export function chatsCalled(state, text, found = []) {
  const sought = text.trim().toLowerCase();
  return sortedChats(state).filter(
    (chat) => found.includes(chat.id) || titleOf(chat, state.user.id).toLowerCase().includes(sought),
  );
}

/** What a chat is called: its name, else those in it besides the user. */
export function titleOf(chat, me) {
  if (chat.name) return chat.name;
  const others = chat.members.filter((member) => member.user_id !== me);
  return others.map((member) => member.name).join(", ") || "Just you";
}

/** The name of somebody in a chat; that of who left, as far as it is known. */
export function nameOf(chat, userId, people = {}) {
  return memberOf(chat, userId)?.name ?? people[userId]?.name ?? `User ${userId}`;
}

/** The other one of a direct chat, or undefined. */
export function partnerOf(chat, me) {
  return chat.chat_type === "direct" ? chat.members.find((member) => member.user_id !== me) : undefined;
}

/** The number that gives a chat its colour: a direct one has that of the other one. */
export function hueOf(chat, me) {
  return partnerOf(chat, me)?.user_id ?? chat.id + 3;
}

/** Those in the open chat of whom nothing was looked up yet: ids of its members and of who wrote in it. */
export function strangers(state) {
  const chat = state.chats[state.openChat];
  if (!chat) return [];
  const authors = (state.timelines[chat.id]?.messages ?? []).map((message) => message.author_id);
  const all = new Set([...chat.members.map((member) => member.user_id), ...authors]);
  return [...all].filter((userId) => !(userId in state.people));
}

/** [{userId, login}] of those whom a message mentions. */
export function mentionedIn(state, message) {
  const { user, people } = state;
  return (message.mentions ?? []).map((userId) => ({ userId, login: userId === user.id ? user.login : people[userId]?.login }));
}

/** Whom the text before the cursor begins to mention: {from, members: [{userId, login, name}]}, or null. */
export function mentionAt(state, chat, text) {
  const found = /(?<![\w@.+-])@(\S{0,40})$/u.exec(text);
  if (found === null) return null;
  const sought = found[1].toLowerCase();
  const members = chat.members
    .map(({ user_id: userId, name }) => ({ userId, name, login: state.people[userId]?.login ?? null }))
    .filter(({ userId, login, name }) => {
      if (login === null || /\s/u.test(login) || userId === state.user.id) return false;
      return login.startsWith(sought) || name.toLowerCase().split(/\s+/u).some((word) => word.startsWith(sought));
    });
  return members.length === 0 ? null : { from: found.index, members: members.slice(0, MOST_MENTIONS) };
}

/** Whether the user may do this in a chat now. `right` is can_write, can_pin and the like. */
export function may(state, chat, right) {
  const member = memberOf(chat, state.user.id);
  const isReadOnly = chat.archived && right !== "can_read" && right !== "is_admin";
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

/** The names of the others who have read up to a message, and of how many: {names, of}. */
export function readers(chat, message) {
  const others = chat.members.filter((member) => member.user_id !== message.author_id);
  const names = others.filter((member) => (member.last_read_message_id ?? 0) >= message.id).map((member) => member.name);
  return { names, of: others.length };
}

/** The last message that the user wrote here and can edit, or undefined. */
export function lastOwn(state, chat) {
  const messages = state.timelines[chat.id]?.messages ?? [];
  return messages.findLast(
    (one) => one.author_id === state.user.id && one.deleted_at === null && one.forwarded_from_id === null,
  );
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
