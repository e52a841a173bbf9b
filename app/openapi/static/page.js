// Shows ../openapi.json: operations by group, schemas, search, and links to each of them.

import { setUp } from "./account.js";
import { byId, element, inline, lazy, openNow, prose } from "./dom.js";
import { operationView } from "./operation.js";
import { exampleView, objectView, useDocument } from "./schema.js";

const METHODS = ["get", "put", "post", "patch", "delete", "head", "options"];
const FEW = 60; // operations that are all shown at once; more stand in groups that are opened
const base = new URL(".", document.baseURI);

class Group {
  constructor(id, title, description, entries) {
    Object.assign(this, { id, title, entries });
    this.count = element("span", { className: "count" }, String(entries.length));
    this.view = element("details", { className: "group", id }, element("summary", {}, element("h2", {}, title), this.count));
    this.view.append(element("div", { className: "quiet" }, ...prose(description)));
    this.view.addEventListener("toggle", () => this.view.open && this.fill());
    this.link = element("a", { href: `#${id}` }, title);
    this.option = element("option", { value: id }, title);
  }

  // The lines are made when the group is opened: of 200 models they would be thousands.
  fill() {
    if (!this.isFilled) this.view.append(...this.entries.map((entry) => entry.line()));
    this.isFilled = true;
  }

  open() {
    this.view.open = true;
    this.fill();
  }
}

class Entry {
  constructor(id, words, summary, fill) {
    Object.assign(this, { id, words: words.join(" ").toLowerCase(), summary, content: fill });
  }

  line() {
    if (!this.view) {
      this.view = lazy("entry", this.summary(), this.content);
      this.view.id = this.id;
      this.view.addEventListener("toggle", () => this.view.open && history.replaceState(null, "", `#${this.id}`));
    }
    return this.view;
  }
}

function operationEntry(path, method, operation) {
  const summary = () => element("summary", {},
    element("span", { className: `method ${method}` }, method),
    element("span", { className: "path" }, path),
    element("span", { className: "about" }, ...inline(operation.summary)),
    operation.security?.length ? null : element("span", { className: "public" }, "public"));
  const words = [method, path, operation.summary ?? "", operation.operationId, ...operation.tags];
  return new Entry(operation.operationId, words, summary, () => operationView({ path, method, operation }));
}

function schemaEntry(name, schema) {
  const summary = () => element("summary", {}, element("span", { className: "path" }, name));
  return new Entry(`schema-${name}`, [name], summary, () => element("div", { className: "inside" },
    objectView(schema), lazy("schema", element("summary", {}, "Example"), () => exampleView(schema))));
}

function groupsOf(api) {
  const entries = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      entries.get(item[method].tags[0]).push(operationEntry(path, method, item[method]));
    }
  }
  const groups = api.tags.filter((tag) => entries.get(tag.name).length)
    .map((tag) => new Group(`tag-${tag.name}`, tag.name, tag.description, entries.get(tag.name)));
  const schemas = Object.entries(api.components.schemas).map(([name, schema]) => schemaEntry(name, schema));
  return [...groups, new Group("schemas", "Schemas", "", schemas)];
}

function show(api) {
  useDocument(api);
  setUp(base, api.paths);
  byId("title").replaceChildren(api.info.title, " ", element("small", {}, api.info.version));
  document.title = `${api.info.title} API`;
  const groups = groupsOf(api);
  const isFew = groups.slice(0, -1).reduce((sum, group) => sum + group.entries.length, 0) <= FEW;
  const nothing = element("p", { id: "nothing", role: "status", hidden: true }, "Nothing is called that.");
  byId("main").replaceChildren(element("div", { id: "intro" }, ...prose(api.info.description)), nothing, ...groups.map((group) => group.view));
  byId("groups").replaceChildren(...groups.map((group) => group.link));
  byId("jump").replaceChildren(element("option", { value: "" }, "…"), ...groups.map((group) => group.option));
  for (const group of isFew ? groups.slice(0, -1) : []) group.open();
  byId("find").addEventListener("input", () => find(groups, isFew));
  byId("jump").addEventListener("change", (event) => { location.hash = event.target.value; });
  document.addEventListener("keydown", (event) => steer(event, groups, isFew));
  addEventListener("hashchange", () => openNamed(groups));
  openNamed(groups);
}

function find(groups, isFew) {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = (entry) => words.every((word) => entry.words.includes(word));
  byId("intro").hidden = words.length > 0;
  for (const group of groups) {
    const found = group.entries.filter(isFound);
    group.count.textContent = String(found.length);
    group.view.hidden = group.link.hidden = group.option.hidden = !found.length;
    if (words.length && found.length) group.open();
    for (const entry of group.entries) if (entry.view) entry.view.hidden = !isFound(entry);
    if (!words.length) group.view.open = isFew && group.id !== "schemas";
  }
  byId("nothing").hidden = groups.some((group) => !group.view.hidden);
}

// "/" goes to the search, Enter from there to what it found, the arrows from line to line, Escape back.
function steer(event, groups, isFew) {
  const at = document.activeElement;
  const isTyping = at.matches("input, textarea, select") || byId("signin").open;
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("find").select();
  } else if (event.key === "Escape" && (at === byId("find") || (!isTyping && byId("find").value))) {
    byId("find").value = "";
    find(groups, isFew);
  } else if (["ArrowDown", "ArrowUp", "Enter"].includes(event.key) && (at === byId("find") || at.matches(".entry > summary"))) {
    if (event.key === "Enter" && at !== byId("find")) return;
    const lines = [...document.querySelectorAll(".group[open] > .entry > summary")].filter((line) => line.checkVisibility());
    const next = lines[lines.indexOf(at) + (event.key === "ArrowUp" ? -1 : 1)];
    event.preventDefault();
    if (next) next.focus();
    else if (event.key === "ArrowUp") byId("find").focus();
  }
}

function openNamed(groups) {
  const id = decodeURIComponent(location.hash.slice(1));
  for (const group of groups) {
    const entry = group.entries.find((one) => one.id === id);
    if (group.id !== id && !entry) continue;
    group.view.hidden = false;
    group.open();
    if (entry) {
      entry.view.hidden = false;
      openNow(entry.view);
    }
    const line = (entry ?? group).view.querySelector(":scope > summary");
    line.scrollIntoView();
    line.focus({ preventScroll: true });
    return;
  }
}

try {
  const answer = await fetch(new URL("openapi.json", base), { credentials: "omit" });
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  byId("state")?.replaceChildren(`The document could not be shown: ${error.message}`);
  throw error;
}
