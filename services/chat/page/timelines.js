// The messages of a chat that are at hand: a stretch without holes, from somewhere to somewhere, mostly to the newest.
// Pure.
//
//   messages    ascending
//   before      cursor of what is older, null where the chat begins
//   after       cursor of what is newer, null where the stretch ends with the newest message: then new ones join it
//   isLoaded    whether there was an answer yet
//   request     number of the page that is on its way, or null
//   meanwhile   events that came since it was asked for
//   unreadAfter watermark when the chat was opened, null when nothing was unread then

import { merged, messagesAfter } from "./chat_events.js";

/** A stretch of which nothing is known yet. */
export function emptyTimeline(unreadAfter) {
  return { messages: [], before: null, after: null, isLoaded: false, request: null, meanwhile: [], unreadAfter };
}

/** The timeline while a page is on its way. */
export function whileAsking(timeline, request) {
  return { ...timeline, request, meanwhile: [] };
}

/**
 * The timeline with a page. `part` says which: "before" (the newest, or what is older; `next` is the cursor of what
 * is older still), "after" (what is newer, and `next` of what is newer still), or "around" (both, `next` and `newer`).
 */
export function withPage(timeline, { part = "before", messages, next, newer = null }) {
  const before = part === "after" ? timeline.before : next;
  const after = { before: timeline.after, after: next, around: newer }[part];
  const all = timeline.meanwhile.reduce(
    (known, event) => messagesIn(known, event, after === null),
    merged(timeline.messages, messages),
  );
  return { ...timeline, messages: all, before, after, isLoaded: true, request: null, meanwhile: [] };
}

/** The timeline when a page did not come. */
export function withoutPage(timeline) {
  return { ...timeline, request: null, meanwhile: [] };
}

/**
 * The timeline after an event. What is in it was true at some time, and each later event says what is true after it:
 * so all of them are applied, also those that the chat itself has behind it already.
 */
export function timelineAfter(timeline, event) {
  const meanwhile = timeline.request !== null ? [...timeline.meanwhile, event] : timeline.meanwhile;
  const isAtNewest = timeline.after === null && timeline.isLoaded;
  return { ...timeline, messages: messagesIn(timeline.messages, event, isAtNewest || event.type !== "new_message"), meanwhile };
}

// A new message joins the stretch only where it follows what is there.
function messagesIn(messages, event, isAtNewest) {
  return event.type === "new_message" && !isAtNewest ? messages : messagesAfter(messages, event);
}
