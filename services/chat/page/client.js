// The client of /ws/chat for browsers. It knows the protocol and nothing of a page:
//
//   const client = new ChatClient({ url, token: (rejected) => session.token(rejected), tell });
//   client.start();
//   client.send(chatId, "hello");
//
// It keeps one socket open, comes back after a loss (close_codes.js says when), follows every chat of the user and
// resumes each where it was. `tell` gets notices, in the order in which things happened:
//
//   {type: "status", status, code?}   "connecting", "live", "waiting" (comes back by itself), "stopped", "signed_out"
//   {type: "live"}                    every chat is followed: what is read over HTTP from now on has no gap to what
//                                     comes here
//   {type: "event", event}            an event as the server sent it. Those with a seq come once each, in order
//   {type: "reset", chatId, seq}      events are missing: read the chat anew; those after seq follow
//   {type: "gone", chatId}            while we were away, the user ceased to be a member
//   {type: "present", chatId, userIds}    members who are online; events of the type presence go on from there
//   {type: "sent", nonce, messageId, seq} and {type: "refused", nonce, problem}    the end of a `send`
//   {type: "error", problem, ref}     anything else that the server did not like
//
// A message is sent until the server acknowledges or refuses it, over as many sockets as it takes; its nonce makes
// that one message. Ids are numbers here: they are exact up to 2**53, which is more messages than there will be.

import { LOST, NO, UNAUTHENTICATED, WITH_BACKOFF, comebackOf, delayBefore } from "./close_codes.js";
import { Sending } from "./sending.js";
import { Streams } from "./streams.js";

const SUBPROTOCOL = "starling.v1";
const OPEN_MS = 15_000; // for the handshake and for being signed in
const PONG_MS = 10_000; // after a ping, any frame will do
const CHECK_MS = 3_000; // the same, when there is a reason to think that the network is gone

/** A name for a message, which nobody else will choose. (crypto.randomUUID needs HTTPS, this does not.) */
export function newNonce(random = crypto) {
  return Array.from(random.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class ChatClient {
  #url;
  #getToken;
  #tell;
  #host;
  #socket = null;
  #status = "stopped";
  #attempt = 0; // connections tried since the last one that went live
  #turn = 0; // grows with every start and stop, so that what was awaited meanwhile is void
  #token = null; // the one that this socket was opened with, or renewed by
  #rejected = null;
  #isReady = false;
  #userId = null;
  #heartbeatMs = 0;
  #watchdog = null;
  #comingBack = null;
  #streams;
  #sending;

  /**
   * `token(rejected)` gives an access token, and another one than `rejected`; it may throw, and is asked again
   * later unless the error's class is named SignedOut. `host` has WebSocket, setTimeout, clearTimeout and random.
   */
  constructor({ url, token, tell, host = browserHost() }) {
    this.#url = url;
    this.#getToken = token;
    this.#tell = tell;
    this.#host = host;
    this.#streams = new Streams({ say: (frame) => this.#say(frame), tell });
    this.#sending = new Sending({ say: (frame) => this.#say(frame), tell, host });
  }

  /** Be connected from now on. */
  start() {
    if (this.#status !== "stopped" && this.#status !== "signed_out") return;
    this.#attempt = 0;
    this.#connect();
  }

  /** Be disconnected, and forget everything: chats, places in them, messages not sent. */
  stop() {
    this.#drop(1000);
    this.#host.clearTimeout(this.#comingBack);
    this.#streams.clear();
    this.#sending.clear();
    this.#setStatus("stopped");
  }

  /** The network seems to have changed: make sure that the connection is alive, or come back now. */
  check() {
    if (this.#status === "waiting") {
      this.#attempt = 0;
      this.#host.clearTimeout(this.#comingBack);
      this.#connect();
    } else if (this.#status === "live") {
      this.#ping(CHECK_MS);
    }
  }

  /** Go on with a newer access token, on the socket that is open. */
  renew(token) {
    if (!this.#isReady || token === this.#token) return;
    this.#token = token;
    this.#say({ type: "auth", token });
  }

  /** Post a message, now or as soon as possible; the nonce that stands for it in the notices. */
  send(chatId, body, { replyToId = null, nonce = newNonce() } = {}) {
    const frame = { type: "send", chat_id: chatId, body, nonce };
    if (replyToId !== null) frame.reply_to_id = replyToId;
    this.#sending.add(frame);
    return nonce;
  }

  /** Tell the others that the user is typing. Of no use later, so it is not kept. */
  typing(chatId) {
    if (this.#status === "live") this.#say({ type: "typing", chat_id: chatId, ref: "typing" });
  }

  /** Everything up to a message was read. Whether it was said; if not, say it again when live. */
  read(chatId, messageId) {
    if (this.#status !== "live") return false;
    this.#say({ type: "read", chat_id: chatId, message_id: messageId, ref: "read" });
    return true;
  }

  /** How many messages wait for their acknowledgement. */
  get unsent() {
    return this.#sending.count;
  }

  // -- the connection

  async #connect() {
    const turn = ++this.#turn;
    this.#setStatus("connecting");
    let token;
    try {
      token = await this.#getToken(this.#rejected);
    } catch (error) {
      if (turn === this.#turn) this.#withoutToken(error);
      return;
    }
    if (turn !== this.#turn) return;
    this.#token = token;
    this.#open();
  }

  #withoutToken(error) {
    if (error.constructor.name === "SignedOut") this.#setStatus("signed_out");
    else this.#comeBack(WITH_BACKOFF);
  }

  #open() {
    const socket = new this.#host.WebSocket(this.#url, [SUBPROTOCOL]);
    this.#socket = socket;
    this.#isReady = false;
    socket.onopen = () => this.#say({ type: "auth", token: this.#token });
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lose(code);
    this.#watch(OPEN_MS, () => this.#giveUp());
  }

  #say(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  // A dead connection can take minutes to close: it is left behind at once, and what it may still say is not heard.
  #giveUp() {
    this.#lose(LOST);
  }

  #drop(code) {
    this.#turn += 1;
    this.#host.clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    this.#isReady = false;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState <= 1) socket.close(code);
  }

  #lose(code) {
    this.#drop(1000);
    this.#rejected = code === UNAUTHENTICATED ? this.#token : null;
    this.#sending.pause();
    const comeback = comebackOf(code);
    if (comeback === NO) this.#setStatus("stopped", code);
    else this.#comeBack(comeback, code);
  }

  #comeBack(comeback, code) {
    const delay = delayBefore(comeback, this.#attempt, this.#host.random);
    this.#attempt += 1;
    this.#setStatus("waiting", code);
    this.#host.clearTimeout(this.#comingBack);
    this.#comingBack = this.#host.setTimeout(() => this.#connect(), delay);
  }

  #setStatus(status, code) {
    this.#status = status;
    this.#tell({ type: "status", status, code });
  }

  // One timer watches over the silence: first for as long as a healthy connection may keep it, then for a pong.
  #watch(delay, then) {
    this.#host.clearTimeout(this.#watchdog);
    this.#watchdog = this.#host.setTimeout(then, delay);
  }

  #ping(patienceMs) {
    this.#say({ type: "ping" });
    this.#watch(patienceMs, () => this.#giveUp());
  }

  // -- what the server says

  #hear(frame) {
    if (this.#isReady) this.#watch(this.#heartbeatMs, () => this.#ping(PONG_MS));
    switch (frame.type) {
      case "ready":
        return this.#becomeReady(frame);
      case "pong":
        return this.#becomeLive();
      case "subscribed":
        return this.#streams.subscribed(frame);
      case "reset":
        return this.#streams.reset(frame);
      case "ack":
        return this.#sending.acknowledged(frame);
      case "error":
        return this.#sending.refused(frame) || this.#tell({ type: "error", problem: frame.problem, ref: frame.ref });
      default:
        return this.#streams.hear(frame, this.#userId);
    }
  }

  #becomeReady(frame) {
    if (this.#isReady) return; // the answer to `renew`
    this.#isReady = true;
    this.#userId = frame.user_id;
    this.#rejected = null;
    this.#heartbeatMs = frame.heartbeat_seconds * 1000;
    this.#streams.resume();
    this.#ping(OPEN_MS); // frames are answered in turn: the pong says that every chat is followed
  }

  #becomeLive() {
    if (this.#status === "live") return;
    this.#attempt = 0;
    this.#streams.settle();
    this.#setStatus("live");
    this.#tell({ type: "live" });
    this.#sending.begin();
  }
}

function browserHost() {
  return {
    WebSocket: globalThis.WebSocket,
    setTimeout: (then, delay) => globalThis.setTimeout(then, delay),
    clearTimeout: (timer) => globalThis.clearTimeout(timer),
    random: Math.random,
  };
}
