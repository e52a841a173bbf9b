// Shows ../openapi.json: operations by tag, schemas, and a way to try them. The token lives in its input only.
// Elements are made one by one and texts are set as texts, so nothing in the document can become markup.

const METHODS = ["get", "put", "post", "patch", "delete", "head", "options"];
const base = new URL(".", document.baseURI);
const byId = (id) => document.getElementById(id);
let api = {};

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// Backticks are the only markup that descriptions have.
function prose(text, className = "") {
  const paragraphs = (text ?? "").split(/\n\s*\n/).filter((part) => part.trim());
  return paragraphs.map((part) => element("p", { className }, ...inline(part)));
}

function inline(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

// A details element whose inside is made when it is first opened.
function lazy(className, summary, fill) {
  const made = element("details", { className }, summary);
  made.addEventListener("toggle", () => made.open && made.children.length === 1 && made.append(fill()));
  return made;
}

function resolve(part) {
  if (!part?.$ref) return part ?? {};
  return part.$ref.slice(2).split("/").reduce((node, key) => node[key], api);
}

const nameOf = (schema) => schema.$ref?.split("/").pop();
const optionsOf = (schema) => schema.anyOf ?? schema.oneOf;

function typeText(schema) {
  if (schema.$ref) return nameOf(schema);
  if (optionsOf(schema)) return optionsOf(schema).map(typeText).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `array of ${schema.items ? typeText(schema.items) : "any"}`;
  const type = schema.type ?? "any";
  return schema.format ? `${type} (${schema.format})` : schema.contentEncoding ? `${type} (${schema.contentEncoding})` : type;
}

function range(low, high, unit) {
  if (low === undefined) return high === undefined ? "" : `at most ${high}${unit}`;
  return high === undefined ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
}

// The ends of 64 bits are left out: they are those of any number here, and not exact in JavaScript.
function limitsText(schema) {
  const inner = optionsOf(schema)?.find((option) => option.type !== "null") ?? schema;
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = inner;
  const unit = inner.type === "array" ? "items" : "characters";
  return [
    range(minimum === -(2 ** 63) ? undefined : minimum, maximum >= 2 ** 63 - 1 ? undefined : maximum, ""),
    range(minLength ?? minItems, maxLength ?? maxItems, ` ${unit}`),
    pattern ? `matches ${pattern}` : "",
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
    schema.readOnly ? "read-only" : "",
  ].filter(Boolean).join(", ");
}

// What lies behind a type: the schemas that it names, and objects that stand in it.
function partsOf(schema) {
  if (schema.$ref || schema.properties) return [schema];
  if (optionsOf(schema)) return optionsOf(schema).flatMap(partsOf);
  return schema.items ? partsOf(schema.items) : [];
}

function schemaView(schema) {
  const type = schema.$ref ? null : element("span", { className: "type" }, typeText(schema));
  const limits = limitsText(schema);
  const head = element("div", {}, type, limits && element("span", { className: "quiet" }, `  ${limits}`));
  const parts = partsOf(schema).map((part) => {
    const summary = element("summary", {}, nameOf(part) ?? "object");
    return lazy("schema", summary, () => element("div", { className: "nested" }, objectView(resolve(part))));
  });
  return element("div", {}, head, ...parts);
}

function objectView(schema) {
  const inside = element("div", {}, ...prose(schema.description));
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const className = required.has(name) ? "name required" : "name";
    const about = element("td", {}, schemaView(property), ...inline(property.description ?? ""));
    return element("tr", {}, element("td", { className }, name), about);
  });
  inside.append(rows.length ? element("table", { className: "fields" }, ...rows) : schemaView(schema));
  return inside;
}

function example(schema, seen = []) {
  if (schema.default !== undefined) return schema.default;
  if (schema.$ref) {
    const name = nameOf(schema);
    return seen.includes(name) ? null : example(resolve(schema), [...seen, name]);
  }
  if (optionsOf(schema)) return example(optionsOf(schema)[0], seen);
  if (schema.enum) return schema.enum[0];
  if (schema.properties) {
    // Only what must be there: what is sent unread should change as little as it can.
    const required = new Set(schema.required);
    const wanted = Object.entries(schema.properties).filter(([name]) => required.has(name));
    return Object.fromEntries(wanted.map(([name, property]) => [name, example(property, seen)]));
  }
  if (schema.type === "array") return [];
  if (schema.type === "integer" || schema.type === "number") return Math.max(schema.minimum ?? 0, 0);
  if (schema.type === "boolean") return false;
  if (schema.type === "object") return {};
  return schema.type === "string" ? "" : null;
}

const contentOf = (part) => Object.values(part.content ?? {})[0]?.schema;

function answerView([status, response]) {
  const { description, content } = resolve(response);
  const schema = content && Object.values(content)[0].schema;
  const isTold = schema && Object.keys(schema).length > 0;
  const about = element("div", {}, ...inline(description));
  if (isTold && !response.$ref) about.append(schemaView(schema));
  return element("div", { className: "answer" }, element("b", {}, status), about);
}

function operationView(path, method, operation) {
  const inside = element("div", { className: "inside" }, ...prose(operation.description));
  const inputs = new Map();
  const rows = (operation.parameters ?? []).map((parameter) => {
    const schema = parameter.schema ?? contentOf(parameter);
    const shown = schema.default === undefined ? "" : JSON.stringify(schema.default);
    const input = element("input", { placeholder: shown, ariaLabel: parameter.name, autocomplete: "off" });
    inputs.set(parameter, input);
    const about = element("td", {}, schemaView(schema), ...inline(parameter.description ?? ""));
    const name = element("span", { className: parameter.required ? "required" : "" }, parameter.name);
    const place = element("div", { className: "quiet" }, parameter.in);
    return element("tr", {}, element("td", { className: "name" }, name, place), about, element("td", {}, input));
  });
  if (rows.length) inside.append(element("h3", {}, "Parameters"), element("table", { className: "fields" }, ...rows));
  let body = null;
  const bodySchema = operation.requestBody && contentOf(operation.requestBody);
  if (bodySchema) {
    body = element("textarea", { value: JSON.stringify(example(bodySchema), null, 2), spellcheck: false, ariaLabel: "Body" });
    inside.append(element("h3", {}, "Body"), schemaView(bodySchema), body);
  }
  inside.append(tryView(path, method, inputs, body));
  inside.append(element("h3", {}, "Answers"), ...Object.entries(operation.responses).map(answerView));
  return inside;
}

function tryView(path, method, inputs, body) {
  const result = element("div", { ariaLive: "polite" });
  const button = element("button", { type: "button" }, "Send");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      result.replaceChildren(...await send(path, method, inputs, body));
    } catch (error) {
      result.replaceChildren(element("p", {}, `The request failed: ${error.message}`));
    } finally {
      button.disabled = false;
    }
  });
  return element("div", {}, element("div", { className: "row" }, button), result);
}

async function send(path, method, inputs, body) {
  const query = new URLSearchParams();
  let filled = path;
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value) query.append(parameter.name, input.value);
  }
  const url = new URL(filled.slice(1), base);
  url.search = query.toString();
  const headers = {};
  const token = byId("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const began = performance.now();
  const answer = await fetch(url, {
    method: method.toUpperCase(), headers, body: body?.value, credentials: "omit", cache: "no-store",
  });
  const text = await answer.text();
  const took = Math.round(performance.now() - began);
  const line = `${answer.status} ${answer.statusText} · ${took} ms · ${method.toUpperCase()} ${url.pathname}${url.search}`;
  const shown = [element("p", {}, element("code", {}, line))];
  if (text) shown.push(element("pre", {}, pretty(text, answer.headers.get("content-type") ?? "")));
  return shown;
}

function pretty(text, type) {
  if (!/[/+]json\b/.test(type)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut short on its way: shown as it came
  }
}

function operationDetails(path, method, operation) {
  const access = operation.security?.length ? "" : element("span", { className: "public" }, "public");
  const summary = element("summary", {},
    element("span", { className: `method ${method}` }, method),
    element("span", { className: "path" }, path),
    element("span", { className: "quiet" }, ...inline(operation.summary ?? ""), access));
  const made = lazy("operation", summary, () => operationView(path, method, operation));
  made.id = operation.operationId;
  made.dataset.words = [method, path, operation.summary, operation.operationId, ...operation.tags].join(" ").toLowerCase();
  return made;
}

function sectionOf(id, title, description, children) {
  const made = element("section", {}, element("h2", { id }, title), ...prose(description, "quiet"), ...children);
  const link = element("a", { href: `#${id}` }, title);
  byId("tags").append(link);
  return { section: made, link };
}

function show() {
  byId("title").replaceChildren(api.info.title, " ", element("small", {}, api.info.version));
  document.title = `${api.info.title} API`;
  const groups = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (item[method]) groups.get(item[method].tags[0]).push(operationDetails(path, method, item[method]));
    }
  }
  const about = new Map(api.tags.map((tag) => [tag.name, tag.description]));
  const sections = [...groups].filter(([, operations]) => operations.length)
    .map(([tag, operations]) => sectionOf(`tag-${tag}`, tag, about.get(tag), operations));
  const models = Object.entries(api.components.schemas).map(([name, schema]) => {
    const made = lazy("model", element("summary", {}, element("span", { className: "path" }, name)),
      () => element("div", { className: "inside" }, objectView(schema)));
    made.dataset.words = name.toLowerCase();
    return made;
  });
  sections.push(sectionOf("schemas", "Schemas", "", models));
  byId("main").replaceChildren(...prose(api.info.description), ...sections.map((made) => made.section));
  byId("find").addEventListener("input", () => find(sections));
  addEventListener("hashchange", openNamed);
  openNamed();
}

function find(sections) {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { section, link } of sections) {
    const entries = [...section.querySelectorAll(":scope > details")];
    for (const entry of entries) entry.hidden = !words.every((word) => entry.dataset.words.includes(word));
    section.hidden = link.hidden = entries.every((entry) => entry.hidden);
  }
}

function openNamed() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  if (named.tagName === "DETAILS") named.open = true;
  named.scrollIntoView();
}

try {
  const answer = await fetch(new URL("openapi.json", base), { credentials: "omit" });
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  api = await answer.json();
  show();
} catch (error) {
  byId("state")?.replaceChildren(`The document could not be shown: ${error.message}`);
  throw error;
}
