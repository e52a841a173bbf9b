// The page, put together: a session, a client, the state, and the views that show it.

import { Actions } from "./actions.js";
import { ChatActions } from "./chat_actions.js";
import { ChatListView } from "./chat_list_view.js";
import { ChatClient } from "./client.js";
import { ConversationView } from "./conversation_view.js";
import { confirmDialog, helpDialog } from "./dialogs.js";
import { byId, setAttribute, setText } from "./dom.js";
import { isAnyDrafted, isDraftOnly } from "./draft_state.js";
import { Effects } from "./effects.js";
import { hue, initials } from "./format.js";
import { drawIcons } from "./icons.js";
import { KeptDrafts } from "./kept_drafts.js";
import { KeptOutbox } from "./kept_outbox.js";
import { NoticesView } from "./notices_view.js";
import { addPeopleDialog, newChatDialog } from "./people_dialog.js";
import { SearchView } from "./search_view.js";
import { Searching } from "./searching.js";
import { sortedChats } from "./selectors.js";
import { Session } from "./session.js";
import { listenToKeys } from "./shortcuts.js";
import { SignInView } from "./sign_in_view.js";
import { initialState } from "./state.js";
import { Store } from "./store.js";

const BASE = new URL("..", import.meta.url); // the page may lie below a prefix: we are <base>/chat/main.js
const TYPING_LOOK_MS = 500;
const RESUME_AGAIN_MS = 3_000;

const store = new Store(initialState({ isOnline: navigator.onLine }));
const session = new Session(BASE);
const client = new ChatClient({ url: socketUrl(), token: (rejected) => session.token(rejected), tell: hear });
const keptOutbox = new KeptOutbox();
const keptDrafts = new KeptDrafts();
const effects = new Effects(store, session);
const searching = new Searching(store, session);
const actions = new Actions(store, session, client);
const chatActions = new ChatActions(store, session, (act) => actions.tried(act));

drawIcons();
const notices = new NoticesView({ forget: () => store.dispatch({ type: "notice", notice: null }) });
const signInView = new SignInView(signIn);
const listView = new ChatListView({ readMore: () => effects.readList(store.state.nextPage) });
const searchView = new SearchView({ searching, closed: () => listView.focus(store.state.openChat) });
const conversationView = new ConversationView({
  ...{ actions, chatActions },
  addPeople: (chat) => addPeopleDialog({ state: store.state, chatActions, chat }),
  readHistory: (chatId, part) => effects.readHistory(chatId, part),
  search: (chatId) => searchView.open(chatId),
});
const narrow = matchMedia("(max-width: 719px)"); // as in style.css: one pane at a time

// -- who is signed in

let unsent = null; // {userId, drafts} of who was signed out without asking, in case that he signs in again here

session.onToken = (token) => client.renew(token);
session.onSignedOut = () => {
  const { user, drafts } = store.state;
  unsent = user === null ? null : { userId: user.id, drafts };
  leave("You were signed out. Sign in again.");
};


async function signIn(login, password, isLasting) {
  enter(await session.signIn(login, password, isLasting));
  render(store.state);
  if (store.state.openChat === null) listView.focus(null); // the form that had the focus is gone
}

function enter(user) {
  const waiting = keptOutbox.read(user.id); // before the state, which has none, is kept
  const drafts = { ...(unsent?.userId === user.id ? unsent.drafts : {}), ...keptDrafts.begin(user.id, session.storage) };
  unsent = null;
  store.dispatch({ type: "signed_in", user, drafts });
  client.start();
  actions.resend(waiting);
}

function leave(notice = null) {
  client.stop();
  effects.forget();
  searching.close();
  actions.forgetSeen();
  keptDrafts.end();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  store.dispatch({ type: "signed_out", notice });
}

async function signOut() {
  const ended = session.signOut();
  if (store.state.user !== null) keptOutbox.save(store.state.user.id, []);
  leave();
  await ended.catch((error) => store.dispatch({ type: "notice", notice: `Signed out here. ${error.message}` }));
}

function askToSignOut() {
  if (store.state.outbox.length === 0 && !isAnyDrafted(store.state.drafts)) return signOut();
  const text = "Some of what you wrote was not sent yet. It is lost when you sign out now.";
  return confirmDialog({ title: "Sign out?", text, verb: "Sign out", act: signOut });
}

async function resume() {
  try {
    const user = await session.resume();
    if (user !== null) return enter(user);
  } catch {
    // Not refused, so the session may well be there: ask again rather than for the password.
    notices.showConnection("The server cannot be reached. Trying again…");
    return void setTimeout(resume, RESUME_AGAIN_MS);
  }
  return render(store.state);
}

// -- what the client tells

const PASSING = new Set(["typing", "read", "subscribe"]); // refused for a right that was just lost: its event follows

function hear(notice) {
  switch (notice.type) {
    case "status":
      if (notice.status !== "live") actions.forgetSeen();
      return store.dispatch(notice);
    case "live":
      return effects.readList();
    case "event":
      notices.announce(store.state, notice.event);
      return store.dispatch({ ...notice, now: Date.now() });
    case "gone":
      return store.dispatch({ type: "chat_gone", chatId: notice.chatId });
    case "refused":
      return store.dispatch({ ...notice, sentence: notice.problem.errors?.[0]?.message ?? notice.problem.detail });
    case "error":
      return PASSING.has(notice.ref) ? undefined : store.dispatch({ type: "notice", notice: notice.problem.detail });
    default:
      return store.dispatch(notice);
  }
}

// -- where we are: the address says which chat is open, so that Back goes back

function go(chatId) {
  location.hash = chatId === null ? "#/" : `#/chat/${chatId}`;
}

function follow() {
  const found = /^#\/chat\/(\d{1,15})(?:\/(\d{1,15}))?$/u.exec(location.hash);
  const chatId = found === null ? null : Number(found[1]);
  const before = store.state.openChat;
  if (found?.[2]) {
    actions.jump(chatId, Number(found[2]));
    history.replaceState(null, "", `#/chat/${chatId}`); // so that the same one can be asked for again
    store.dispatch({ type: "search_behind" });
  }
  if (chatId !== before) store.dispatch({ type: "opened", chatId });
  if (chatId !== null) store.dispatch({ type: "search_behind" });
  render(store.state);
  if (store.state.user === null || found?.[2] || chatId === before) return;
  if (chatId === null) listView.focus(before);
  else if (narrow.matches) conversationView.focusTitle();
  else conversationView.focus();
}

// -- showing

function render(state) {
  const isIn = state.user !== null;
  byId("app").hidden = !isIn;
  signInView.show(!isIn, state.notice);
  notices.show(state);
  if (!isIn) return void conversationView.show(state); // what was being written is nobody else's business
  const isListInFront = state.openChat === null || (state.search?.isInFront ?? false);
  setAttribute(byId("app"), "data-pane", isListInFront ? "list" : "chat");
  setText(byId("own-name"), state.user.name);
  setText(byId("own-login"), `@${state.user.login}`);
  setText(byId("own-avatar"), initials(state.user.name));
  setAttribute(byId("own-avatar"), "class", `avatar ${hue(state.user.id)}`);
  listView.show(state);
  searchView.show(state);
  conversationView.show(state);
}

let wasOpen = null;

// The address follows the state, too: a chat that one is no longer in is not where we are. Only that one, though: an
// address that was just gone to is told to us a moment later.
function followState({ user, openChat }) {
  const isLost = user !== null && openChat === null && wasOpen !== null;
  if (isLost && location.hash === `#/chat/${wasOpen}`) history.replaceState(null, "", "#/");
  wasOpen = openChat;
}

function socketUrl() {
  const url = new URL("ws/chat", BASE);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// -- the outside

function newChat() {
  newChatDialog({ state: store.state, chatActions, opened: go });
}

// What is open is closed, the topmost first.
function escape() {
  const { pinned, isInfoOpen, search, openChat } = store.state;
  if (document.activeElement === byId("seek") && search !== null) closeSearch();
  else if (conversationView.cancel()) conversationView.focus();
  else if (pinned !== null || isInfoOpen) byId("panel-close").click();
  else if (search !== null) closeSearch();
  else if (document.activeElement?.closest("#log")) conversationView.focus();
  else if (openChat !== null) go(null);
}

function closeSearch() {
  searching.close();
  if (store.state.openChat !== null) conversationView.focus();
  else listView.focus(null);
}

function openNext(step) {
  const chats = sortedChats(store.state).filter((chat) => !chat.archived);
  const at = chats.findIndex((chat) => chat.id === store.state.openChat);
  const next = chats[at + step] ?? chats[step > 0 ? 0 : chats.length - 1];
  if (next) go(next.id);
}

function networkChanged() {
  store.dispatch({ type: "network", isOnline: navigator.onLine });
  client.check();
}

let told = store.state;
store.watch((state) => {
  const before = told;
  told = state;
  followState(state);
  if (state.user !== null) {
    keptOutbox.save(state.user.id, state.outbox);
    keptDrafts.save(state.drafts);
  }
  if (isDraftOnly(before, state)) return conversationView.showDraft(state);
  render(state);
  effects.look();
});
const whenIn = (act) => (...given) => store.state.user !== null && act(...given);
listenToKeys({
  search: whenIn((isHere) => searchView.open(isHere ? store.state.openChat : null)),
  newChat: whenIn(newChat),
  help: helpDialog,
  next: whenIn(openNext),
  escape: whenIn(escape),
});
byId("new-chat").addEventListener("click", newChat);
byId("help").addEventListener("click", helpDialog);
byId("back").addEventListener("click", () => go(null));
byId("sign-out").addEventListener("click", askToSignOut);
addEventListener("hashchange", follow);
addEventListener("storage", (event) => {
  const heard = keptDrafts.hear(event);
  if (heard !== null) store.dispatch({ type: "draft_heard", ...heard });
});
addEventListener("online", networkChanged);
addEventListener("offline", networkChanged);
document.addEventListener("visibilitychange", () => document.hidden || client.check());
addEventListener("beforeunload", (event) => {
  if (client.unsent > 0) event.preventDefault(); // a reload keeps them, closing the tab does not
});
setInterval(() => store.dispatch({ type: "typing_expired", now: Date.now() }), TYPING_LOOK_MS);

follow();
if (session.userId !== null) keptDrafts.begin(session.userId, session.storage); // so that they go, should it be over
await resume();
