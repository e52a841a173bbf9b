// What becomes of the messages of the user that are not in a timeline yet, each of them an entry:
//
//   {nonce, chatId, body, replyToId, at, isEchoed (its event has come, its acknowledgement not yet),
//    messageId (once acknowledged), failure (a sentence, once refused)}

import { withDraft } from "./draft_state.js";

/** Changes of the outbox by action, for state.js. */
export const OUTBOX_REDUCERS = {
  queued: (state, { entry }) => withDraft(withMore(state, entry), entry.chatId, null), // it was what stood there
  requeued: (state, { entry }) => withMore(state, entry),
  retried: (state, { nonce }) => withEntry(state, nonce, { failure: null }),
  sent: (state, { nonce, messageId, seq }) => {
    const entry = state.outbox.find((one) => one.nonce === nonce);
    const timeline = entry && state.timelines[entry.chatId];
    const isShown = !timeline || timeline.after !== null || (state.chats[entry.chatId]?.last_seq ?? 0) >= seq;
    return isShown ? withoutEntry(state, nonce) : withEntry(state, nonce, { messageId });
  },
  refused: (state, { nonce, sentence }) => withEntry(state, nonce, { failure: sentence, isEchoed: false }),
  discarded: (state, { nonce }) => withoutEntry(state, nonce),
};

/**
 * The state once one of the user's own messages came as an event. It may come before its acknowledgement, and does
 * not know its nonce; so the first waiting one of the same text is not shown until then.
 */
export function outboxAfter(state, message) {
  if (message.author_id !== state.user.id) return state;
  const { outbox } = state;
  const acknowledged = outbox.find((one) => one.messageId === message.id);
  if (acknowledged) return { ...state, outbox: outbox.filter((one) => one !== acknowledged) };
  const twin = outbox.find(
    (one) => one.chatId === message.chat_id && one.messageId === null && !one.isEchoed && one.body === message.body,
  );
  if (!twin) return state;
  return { ...state, outbox: outbox.map((one) => (one === twin ? { ...one, isEchoed: true } : one)) };
}

function withMore(state, entry) {
  return { ...state, outbox: [...state.outbox, { failure: null, ...entry, isEchoed: false, messageId: null }] };
}

function withEntry(state, nonce, changes) {
  return { ...state, outbox: state.outbox.map((one) => (one.nonce === nonce ? { ...one, ...changes } : one)) };
}

function withoutEntry(state, nonce) {
  return { ...state, outbox: state.outbox.filter((one) => one.nonce !== nonce) };
}
