// Making and keeping elements. Text goes in as text, never as markup: there is no way here to write HTML.

/** The element of the page with that id. Throws when there is none. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found;
}

/**
 * A new element. `properties` are attributes (true: present, false or null: absent), and `on`, which has listeners by
 * event. `children` are elements, texts, and null for nothing.
 */
export function element(tag, { on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Set an attribute: true is present, false and null are absent. Nothing happens where it is so already. */
export function setAttribute(target, name, value) {
  if (value === false || value === null) target.removeAttribute(name);
  else if (target.getAttribute(name) !== (value === true ? "" : String(value))) {
    target.setAttribute(name, value === true ? "" : value);
  }
}

/** Set a text, without disturbing a selection in a text that is the same. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A list on the screen that changes as little as possible, so that focus, selection and scrolling stay. */
export class KeyedList {
  #container;
  #make;
  #kept = new Map();

  /** `make(item)` gives the element of an item. */
  constructor(container, make) {
    this.#container = container;
    this.#make = make;
  }

  /**
   * Show these items, in this order. Each has a `key`, and `parts`: whatever its looks depend on, compared by
   * identity. An element is made anew when a part of it changed.
   */
  show(items) {
    const focused = this.#container.contains(document.activeElement) ? document.activeElement : null;
    let next = focused;
    const kept = new Map();
    let place = this.#container.firstElementChild;
    for (const item of items) {
      const old = this.#kept.get(item.key);
      const isSame = old !== undefined && areSame(old.parts, item.parts);
      const made = isSame ? old.element : this.#make(item);
      if (!isSame && old !== undefined) {
        if (place === old.element) place = made;
        if (focused !== null && old.element.contains(focused)) next = made;
        old.element.replaceWith(made);
      }
      if (made === place) place = made.nextElementSibling;
      else this.#container.insertBefore(made, place);
      kept.set(item.key, { element: made, parts: item.parts });
    }
    for (const [key, { element: gone }] of this.#kept) if (!kept.has(key)) gone.remove();
    this.#kept = kept;
    // An element that is moved or made anew loses the focus, and the keyboard its place.
    if (next?.isConnected && document.activeElement !== next) next.focus({ preventScroll: true });
  }

  /** The element of an item, or undefined. */
  get(key) {
    return this.#kept.get(key)?.element;
  }
}

function areSame(parts, others) {
  return parts.length === others.length && parts.every((part, index) => part === others[index]);
}
