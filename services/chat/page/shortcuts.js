// Keys that do something wherever one is; those of a message are in message_menu.js, those of the text in
// composer_view.js. dialogs.js tells all of them.

/**
 * `verbs` has search(isHere), newChat(), help(), next(step), and escape(), which closes the topmost thing.
 */
export function listenToKeys(verbs) {
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const verb = verbOf(event, verbs);
    if (!verb) return;
    event.preventDefault();
    verb();
  });
}

function verbOf(event, verbs) {
  const { key, altKey, ctrlKey, metaKey } = event;
  if (key === "Escape") return verbs.escape;
  if ((ctrlKey || metaKey) && !altKey) return key.toLowerCase() === "k" ? () => verbs.search(false) : null;
  if (altKey && !ctrlKey && !metaKey) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (step !== undefined) return () => verbs.next(step);
    return event.code === "KeyN" ? verbs.newChat : null;
  }
  if (isWriting(event.target)) return null;
  return { "/": () => verbs.search(true), "?": verbs.help }[key] ?? null;
}

function isWriting(target) {
  return target instanceof HTMLElement && target.matches("textarea, input:not([type=checkbox], [type=radio])");
}
