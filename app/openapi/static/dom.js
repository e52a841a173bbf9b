// Elements are made one by one and texts are set as texts, so nothing in the document can become markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export const byId = (id) => document.getElementById(id);

// Backticks are the only markup that descriptions have.
export function inline(text) {
  return (text ?? "").split(/`([^`]+)`/).map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

export function prose(text, className = "") {
  const paragraphs = (text ?? "").split(/\n\s*\n/).filter((part) => part.trim());
  return paragraphs.map((part) => element("p", { className }, ...inline(part)));
}

// A details element whose inside is made when it is first opened.
export function lazy(className, summary, fill) {
  const made = element("details", { className }, summary);
  made.addEventListener("toggle", () => made.open && made.children.length === 1 && made.append(fill()));
  return made;
}

// The toggle event comes later: who goes on at once opens it by this.
export function openNow(details) {
  details.open = true;
  if (details.children.length === 1) details.dispatchEvent(new Event("toggle"));
}

export function copyButton(label, text) {
  const button = element("button", { type: "button", className: "small" }, label);
  button.addEventListener("click", async () => {
    const copied = await copy(text()).then(() => "Copied", () => "Could not be copied");
    button.textContent = copied;
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

// Where the page was not loaded over TLS there is no clipboard: a selection does it.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("textarea", { value: text, className: "offscreen" });
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("the browser refused");
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// JSON in colours: names, texts, and everything else that is a value.
export function coloured(text) {
  const pre = element("pre", { tabIndex: 0 });
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, quoted, colon] = found;
    pre.append(text.slice(end, found.index));
    const className = quoted ? (colon ? "key" : "text") : "value";
    pre.append(element("span", { className }, quoted ?? whole), colon ?? "");
    end = found.index + whole.length;
  }
  pre.append(text.slice(end));
  return pre;
}
