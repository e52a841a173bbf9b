// What one event does to a chat, to its messages and to its pinned ones. Pure: nothing that is given is changed.
//
// The law, which the tests check: a chat as the server showed it at seq n, plus the events n+1 to m, equals the
// chat as the server shows it at m.

/** The chat after `event`, null when `me` is no member any more. `event.seq` is the next one of the chat. */
export function chatAfter(chat, event, me) {
  const next = { ...chat, last_seq: event.seq };
  switch (event.type) {
    case "new_message":
      return afterMessage(next, event.message, me);
    case "message_edited":
    case "message_deleted":
    case "message_pinned":
      return afterChange(next, event, me);
    case "messages_read":
      return afterReading(next, event, me);
    case "member_added":
    case "member_updated":
      return { ...next, members: withMember(next.members, event.member) };
    case "member_removed":
      if (event.user_id === me) return null;
      return { ...next, members: next.members.filter((member) => member.user_id !== event.user_id) };
    case "chat_updated": {
      const { name, description, archived } = event.chat;
      return { ...next, name, description, archived };
    }
    default:
      return next; // an event of a newer server: it has its number, and nothing that we show
  }
}

/**
 * Whether `event` leaves the counts of what is unread to be asked for: only the server has seen all the messages
 * that they are about.
 */
export function leavesUnreadUnknown(chat, event, me) {
  const isMine = event.user_id === me;
  switch (event.type) {
    case "messages_read":
      return isMine && chat.last_message !== null && event.message_id < chat.last_message.id;
    case "message_edited": // it may mention other people now
      return isUnread(chat, event.message.id, me) && (chat.mention_count > 0 || mentions(event.message, me));
    case "message_deleted": // it may have been one of those that mention the user
      return isUnread(chat, event.message_id, me) && chat.mention_count > 0;
    default:
      return false;
  }
}

/** The messages of a timeline, ascending, after `event`. Applying the same one twice changes nothing more. */
export function messagesAfter(messages, event) {
  switch (event.type) {
    case "new_message":
      return merged(messages, [event.message]);
    case "message_edited":
      return messages.map((one) => (one.id === event.message.id ? event.message : one));
    case "message_deleted":
      return messages.map((one) => (one.id === event.message_id ? deleted(one, event.at) : one));
    case "message_pinned":
      return messages.map((one) => (one.id === event.message_id ? { ...one, pinned: event.pinned } : one));
    case "reaction_update":
      return messages.map((one) => (one.id === event.message_id ? { ...one, reactions: event.reactions } : one));
    default:
      return messages;
  }
}

/** Messages of two lists, ascending, each once. The first list wins: the stream has kept it up to date. */
export function merged(messages, more) {
  const known = new Set(messages.map((one) => one.id));
  const added = more.filter((one) => !known.has(one.id));
  return added.length === 0 ? messages : [...messages, ...added].sort((one, other) => one.id - other.id);
}

/** The member of a chat, or undefined. */
export function memberOf(chat, userId) {
  return chat.members.find((member) => member.user_id === userId);
}

function afterMessage(chat, message, me) {
  const isOwn = message.author_id === me;
  return {
    ...chat,
    members: readUpTo(chat.members, message.author_id, message.id), // the author has read what he wrote
    unread_count: isOwn ? 0 : chat.unread_count + 1,
    mention_count: isOwn ? 0 : chat.mention_count + (mentions(message, me) ? 1 : 0),
    last_message: message,
  };
}

function afterChange(chat, event, me) {
  const id = event.message_id ?? event.message.id;
  const last = chat.last_message;
  const isOneLess = event.type === "message_deleted" && isUnread(chat, id, me) && chat.unread_count > 0;
  return {
    ...chat,
    unread_count: chat.unread_count - (isOneLess ? 1 : 0),
    last_message: last !== null && last.id === id ? messagesAfter([last], event)[0] : last,
  };
}

function afterReading(chat, event, me) {
  const isAll = event.user_id === me && !leavesUnreadUnknown(chat, event, me);
  return {
    ...chat,
    members: readUpTo(chat.members, event.user_id, event.message_id),
    unread_count: isAll ? 0 : chat.unread_count,
    mention_count: isAll ? 0 : chat.mention_count,
  };
}

function isUnread(chat, messageId, me) {
  return messageId > (memberOf(chat, me)?.last_read_message_id ?? 0);
}

function mentions(message, me) {
  return (message.mentions ?? []).includes(me);
}

function readUpTo(members, userId, messageId) {
  return members.map((member) =>
    member.user_id === userId
      ? { ...member, last_read_message_id: Math.max(member.last_read_message_id ?? 0, messageId) }
      : member,
  );
}

function withMember(members, member) {
  const isKnown = members.some((one) => one.user_id === member.user_id);
  return isKnown ? members.map((one) => (one.user_id === member.user_id ? member : one)) : [...members, member];
}

function deleted(message, at) {
  return { ...message, body: "", deleted_at: at, pinned: false, reactions: [] };
}
