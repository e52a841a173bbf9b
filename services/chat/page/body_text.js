// What stands in a message: words, links, mentions and code, told apart. Pure; the text itself never becomes markup.

const FENCE = /```[^\S\n]*\w*\n?([\s\S]*?)\n?```/gu;
const INLINE = /`([^`\n]+)`|(?<![\w/])(https?:\/\/[^\s<>"“”«»]+)|(?<![\w@.+-])@(\S+)/giu;
const BEHIND_A_LINK = /[.,;:!?…'")\]}*_~]+$/u;
const LONG_CHARS = 1_500;
const LONG_LINES = 24;

/**
 * The parts of a body, in order: {kind: "text", text}, {kind: "code", text}, {kind: "block", text},
 * {kind: "link", text, href} and {kind: "mention", text, userId}. `mentioned` is [{userId, login}]: who was
 * mentioned, as far as the logins are known. The texts put together are the body, without the marks around code.
 */
export function partsOf(body, mentioned = []) {
  const parts = [];
  let at = 0;
  for (const found of body.matchAll(FENCE)) {
    if (found[1] === "") continue;
    parts.push(...inlineParts(body.slice(at, found.index).replace(/\n$/u, ""), mentioned));
    parts.push({ kind: "block", text: found[1] });
    at = found.index + found[0].length;
    if (body[at] === "\n") at += 1;
  }
  return [...parts, ...inlineParts(body.slice(at), mentioned)];
}

/** Whether a body is so long that it is shown in part first. */
export function isLong(body) {
  return body.length > LONG_CHARS || body.split("\n", LONG_LINES + 1).length > LONG_LINES;
}

/** Whether a body is nothing but one to three emoji, which are shown large. */
export function isBigEmoji(body) {
  return body.length <= 24 && /^(?:\p{Extended_Pictographic}[\u{FE0F}\u{200D}\u{1F3FB}-\u{1F3FF}]*){1,3}$/u.test(body.trim());
}

function inlineParts(text, mentioned) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const part = partOf(found, mentioned);
    if (part === null || found.index < at) continue;
    if (found.index > at) parts.push({ kind: "text", text: text.slice(at, found.index) });
    const { length, ...rest } = part;
    parts.push(rest);
    at = found.index + length;
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return parts;
}

function partOf([whole, code, link, name], mentioned) {
  if (code !== undefined) return { kind: "code", text: code, length: whole.length };
  if (link !== undefined) return linkOf(link);
  const lower = name.toLowerCase();
  const fitting = mentioned
    .filter(({ login }) => login && lower.startsWith(login) && !/^\w/u.test(lower.slice(login.length)))
    .sort((one, other) => other.login.length - one.login.length)[0];
  if (!fitting) return null;
  const text = whole.slice(0, fitting.login.length + 1);
  return { kind: "mention", text, userId: fitting.userId, length: text.length };
}

function linkOf(found) {
  let text = found.replace(BEHIND_A_LINK, "");
  // A bracket that was opened in the address is closed in it, as in those of encyclopedias.
  if (found[text.length] === ")" && text.includes("(") && !text.includes(")")) text = found.slice(0, text.length + 1);
  try {
    const { href, protocol } = new URL(text);
    return protocol === "http:" || protocol === "https:" ? { kind: "link", text, href, length: text.length } : null;
  } catch {
    return null;
  }
}
