// What a close means to a client. The same table as app/realtime/close_codes.py; a test compares the two.

export const NO = "no"; // something has to change first
export const AT_ONCE = "at_once";
export const WITH_JITTER = "with_jitter";
export const WITH_BACKOFF = "with_backoff";
export const AFTER_SIGN_IN = "after_sign_in"; // with another access token

export const UNAUTHENTICATED = 4401;
export const LOST = 1006; // what browsers say of a connection that ended without a close; not in the server's table

export const COMEBACK = Object.freeze({
  1000: NO,
  1001: WITH_JITTER,
  1009: NO,
  1011: WITH_BACKOFF,
  1012: WITH_JITTER,
  4013: AT_ONCE,
  4400: NO,
  4401: AFTER_SIGN_IN,
  4403: NO,
  4408: WITH_BACKOFF,
  4429: WITH_BACKOFF,
});

const JITTER_MS = 3_000; // a worker that restarts has its sockets back within a few seconds, not all at once
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** What to do after a close with `code`. A lost connection counts as one that was cut for slowness. */
export function comebackOf(code) {
  return code === LOST ? AT_ONCE : (COMEBACK[code] ?? WITH_BACKOFF);
}

/**
 * Milliseconds to wait before the next attempt; not to be asked for NO. `attempt` counts the attempts since the
 * connection was last of use: only the first may come at once, the others wait longer each time.
 */
export function delayBefore(comeback, attempt, random = Math.random) {
  if (attempt === 0 && comeback !== WITH_BACKOFF) {
    return comeback === WITH_JITTER ? random() * JITTER_MS : 0;
  }
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + random() / 2);
}
