// Times and names as people read them, in the language of the browser.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const LONG_DATE = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const DAY_MS = 86_400_000;
const HUES = 8; // as many as style.css has

/** "14:05" */
export const time = (at) => TIME.format(new Date(at));

/** Everything about a moment, for a tooltip. */
export const fullTime = (at) => FULL.format(new Date(at));

/** "Today", "Yesterday", or the date. */
export function day(at, now = Date.now()) {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) return "Today";
  if (date.toDateString() === new Date(now - DAY_MS).toDateString()) return "Yesterday";
  return LONG_DATE.format(date);
}

/** As short as it can be told apart: a time, a weekday within the week, a date. */
export function shortTime(at, now = Date.now()) {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) return TIME.format(date);
  return now - date.getTime() < 6 * DAY_MS ? WEEKDAY.format(date) : DATE.format(date);
}

/** One or two letters for a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** A class of style.css that gives everybody a colour, always the same one. */
export const hue = (id) => `hue-${id % HUES}`;

/** "Ada", "Ada and Bob", "Ada, Bob and 3 others". */
export function listed(names) {
  if (names.length <= 1) return names.join("");
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
  return `${names.slice(0, 2).join(", ")} and ${names.length - 2} others`;
}
