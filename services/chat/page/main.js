// The page, put together: a session, a client, the state, and the views that show it.

import { Actions } from "./actions.js";
import { ChatListView } from "./chat_list_view.js";
import { ChatClient } from "./client.js";
import { ConversationView } from "./conversation_view.js";
import { byId, element, setAttribute, setText } from "./dom.js";
import { Effects } from "./effects.js";
import { hue, initials } from "./format.js";
import { PeopleDialog } from "./people_dialog.js";
import { connectionNotice, nameOf } from "./selectors.js";
import { Session } from "./session.js";
import { SignInView } from "./sign_in_view.js";
import { initialState } from "./state.js";
import { Store } from "./store.js";

const BASE = new URL("..", import.meta.url); // the page may lie below a prefix: we are <base>/chat/main.js
const TYPING_LOOK_MS = 500;
const BANNER_AFTER_MS = 1_000;
const NOTICE_MS = 8_000;
const MOST_ANNOUNCED = 20; // lines that screen readers can still look back at
const RESUME_AGAIN_MS = 3_000;

const store = new Store(initialState({ isOnline: navigator.onLine }));
const session = new Session(BASE);
const client = new ChatClient({ url: socketUrl(), token: (rejected) => session.token(rejected), tell: hear });
const effects = new Effects(store, session);
const actions = new Actions(store, session, client);

const people = new PeopleDialog({ actions, opened: (chatId) => go(chatId) });
const signInView = new SignInView(signIn);
const listView = new ChatListView({ readMore: () => effects.readList(store.state.nextPage) });
const conversationView = new ConversationView({
  actions,
  addPeople: (chat) => people.open(store.state, chat),
  readHistory: (chatId) => effects.readHistory(chatId),
});
const narrow = matchMedia("(max-width: 719px)"); // as in style.css: one pane at a time

// -- who is signed in

session.onToken = (token) => client.renew(token);
session.onSignedOut = () => leave("You were signed out. Sign in again.");

async function signIn(login, password) {
  enter(await session.signIn(login, password));
  render(store.state);
  listView.focus(null); // the form that had the focus is gone
}

function enter(user) {
  store.dispatch({ type: "signed_in", user });
  client.start();
}

function leave(notice = null) {
  client.stop();
  effects.forget();
  actions.forgetSeen();
  store.dispatch({ type: "signed_out", notice });
}

async function resume() {
  try {
    const user = await session.resume();
    if (user !== null) return enter(user);
  } catch {
    // Not refused, so the session may well be there: ask again rather than for the password.
    showConnection("The server cannot be reached. Trying again…");
    return void setTimeout(resume, RESUME_AGAIN_MS);
  }
  return render(store.state);
}

// -- what the client tells

function hear(notice) {
  switch (notice.type) {
    case "status":
      if (notice.status !== "live") actions.forgetSeen();
      return store.dispatch(notice);
    case "live":
      return effects.readList();
    case "event":
      announce(notice.event);
      return store.dispatch({ ...notice, now: Date.now() });
    case "gone":
      return store.dispatch({ type: "chat_gone", chatId: notice.chatId });
    case "refused":
      return store.dispatch({ ...notice, sentence: notice.problem.errors?.[0]?.message ?? notice.problem.detail });
    case "error":
      if (notice.ref === "typing" || notice.ref === "read") return undefined; // a right that was just lost: its event follows
      return store.dispatch({ type: "notice", notice: notice.problem.detail });
    default:
      return store.dispatch(notice);
  }
}

// What is said in the open chat is read out, once; the list of messages itself is quiet, or history would be, too.
function announce(event) {
  const chat = store.state.chats[event.chat_id];
  if (event.type !== "new_message" || event.chat_id !== store.state.openChat || !chat) return;
  if (event.message.author_id === store.state.user.id) return;
  const announcer = byId("announcer");
  announcer.append(element("p", {}, `${nameOf(chat, event.message.author_id)}: ${event.message.body}`));
  while (announcer.childElementCount > MOST_ANNOUNCED) announcer.firstElementChild.remove();
}

// -- where we are: the address says which chat is open, so that Back goes back

function go(chatId) {
  location.hash = chatId === null ? "#/" : `#/chat/${chatId}`;
}

function follow() {
  const found = /^#\/chat\/(\d{1,15})$/u.exec(location.hash);
  const chatId = found === null ? null : Number(found[1]);
  const before = store.state.openChat;
  if (chatId === before) return;
  store.dispatch({ type: "opened", chatId });
  render(store.state);
  if (store.state.user === null) return;
  if (chatId === null) listView.focus(before);
  else if (narrow.matches) conversationView.focusTitle();
  else conversationView.focus();
}

// -- showing

let isTitled = null;
let bannerTimer = null;
let noticeTimer = null;
let shownNotice = null;

function render(state) {
  const isIn = state.user !== null;
  byId("app").hidden = !isIn;
  signInView.show(!isIn, state.notice);
  showConnection(connectionNotice(state));
  showNotice(isIn ? state.notice : null);
  showTitle(state);
  if (!isIn) return;
  setAttribute(byId("app"), "data-pane", state.openChat === null ? "list" : "chat");
  setText(byId("own-name"), state.user.name);
  setText(byId("own-id"), `#${state.user.id}`);
  setText(byId("own-avatar"), initials(state.user.name));
  setAttribute(byId("own-avatar"), "class", `avatar ${hue(state.user.id)}`);
  listView.show(state);
  conversationView.show(state);
}

// A connection that is back within a moment is not worth a word.
function showConnection(sentence) {
  const banner = byId("connection");
  if (sentence === null) {
    clearTimeout(bannerTimer);
    bannerTimer = null;
    banner.hidden = true;
  } else {
    setText(banner, sentence);
    bannerTimer ??= setTimeout(() => (banner.hidden = false), BANNER_AFTER_MS);
  }
}

function showNotice(sentence) {
  if (sentence === shownNotice) return;
  shownNotice = sentence;
  const box = byId("notice");
  setText(box, sentence ?? "");
  box.hidden = sentence === null;
  clearTimeout(noticeTimer);
  if (sentence !== null) noticeTimer = setTimeout(() => store.dispatch({ type: "notice", notice: null }), NOTICE_MS);
}

function showTitle(state) {
  const unread = Object.values(state.chats).reduce((sum, chat) => sum + chat.unread_count, 0);
  const title = unread > 0 ? `(${unread}) Chat` : "Chat";
  if (title !== isTitled) document.title = isTitled = title;
}

// The address follows the state, too: a chat that one is no longer in is not where we are.
function followState(state) {
  if (state.user !== null && state.openChat === null && location.hash.startsWith("#/chat/")) {
    history.replaceState(null, "", "#/");
  }
}

function socketUrl() {
  const url = new URL("ws/chat", BASE);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// -- the outside

function closePanes(event) {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || byId("people").open) return;
  const { replyTo, pinned, openChat } = store.state;
  if (replyTo !== null) actions.reply(null);
  else if (pinned !== null) store.dispatch({ type: "pinned_closed" });
  else if (openChat !== null) go(null);
}

function networkChanged() {
  store.dispatch({ type: "network", isOnline: navigator.onLine });
  client.check();
}

store.watch((state) => {
  followState(state);
  render(state);
  effects.look();
});
byId("new-chat").addEventListener("click", () => people.open(store.state));
byId("back").addEventListener("click", () => go(null));
byId("sign-out").addEventListener("click", async () => {
  const ended = session.signOut();
  leave();
  await ended.catch((error) => store.dispatch({ type: "notice", notice: `Signed out here. ${error.message}` }));
});
addEventListener("hashchange", follow);
addEventListener("keydown", closePanes);
addEventListener("online", networkChanged);
addEventListener("offline", networkChanged);
document.addEventListener("visibilitychange", () => document.hidden || client.check());
addEventListener("beforeunload", (event) => {
  if (client.unsent > 0) event.preventDefault(); // they are kept in this page only
});
setInterval(() => store.dispatch({ type: "typing_expired", now: Date.now() }), TYPING_LOOK_MS);

follow();
await resume();
