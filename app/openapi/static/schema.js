// Schemas in words, as tables, and as examples.

import { coloured, element, inline, lazy, prose } from "./dom.js";

let api = {};

export function useDocument(document) {
  api = document;
}

export function resolve(part) {
  let node = part ?? {};
  while (node.$ref) node = node.$ref.slice(2).split("/").reduce((at, key) => at[decodeURIComponent(key)], api);
  return node;
}

const nameOf = (schema) => schema.$ref?.split("/").pop();
const optionsOf = (schema) => schema.anyOf ?? schema.oneOf;
export const contentOf = (part) => Object.entries(resolve(part).content ?? {})[0] ?? [null, null];

export function typeText(schema) {
  if (schema.$ref) return nameOf(schema);
  if (optionsOf(schema)) return optionsOf(schema).map(typeText).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.prefixItems) return tupleText(schema);
  if (schema.type === "array") return `array of ${schema.items ? typeText(schema.items) : "any"}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type ?? "any";
  const form = schema.format ?? schema.contentEncoding;
  return form ? `${type} (${form})` : type;
}

// More than a few choices are a list of their own, not a part of a type.
function tupleText({ prefixItems, items, maxItems }) {
  const texts = prefixItems.map((item) => (item.enum?.length > 4 ? "one of " + item.enum.length : typeText(item)));
  return `[${texts.join(", ")}${items && maxItems === undefined ? `, ... ${typeText(items)}` : ""}]`;
}

function range(low, high, unit) {
  if (low === undefined) return high === undefined ? "" : `at most ${high}${unit}`;
  return high === undefined ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
}

// The ends of 64 bits are left out: they are those of any number here, and not exact in JavaScript.
function limitsText(schema) {
  const options = optionsOf(schema)?.filter((option) => option.type !== "null") ?? [schema];
  const inner = options.length === 1 ? options[0] : {};
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = inner;
  const unit = inner.type === "array" ? "items" : "characters";
  if (inner.prefixItems) return ""; // its length is seen
  return [
    range(minimum === -(2 ** 63) ? undefined : minimum, maximum >= 2 ** 63 - 1 ? undefined : maximum, ""),
    range(minLength ?? minItems, maxLength ?? maxItems, ` ${unit}`),
    pattern ? `matches ${pattern}` : "",
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
    schema.readOnly ? "read-only" : "",
    schema.writeOnly ? "write-only" : "",
  ].filter(Boolean).join(", ");
}

// What lies behind a type: the schemas that it names, and objects that stand in it.
function partsOf(schema) {
  if (schema.$ref || schema.properties) return [schema];
  if (optionsOf(schema)) return optionsOf(schema).flatMap(partsOf);
  return [...(schema.prefixItems ?? []), schema.items].filter(Boolean).flatMap(partsOf);
}

export function schemaView(schema) {
  const type = schema.$ref ? null : element("span", { className: "type" }, typeText(schema));
  const limits = limitsText(schema);
  const head = element("div", {}, type, limits && element("span", { className: "quiet" }, `  ${limits}`));
  const named = new Map(partsOf(schema).map((part) => [part.$ref ?? part, part])); // each once
  const parts = [...named.values()].map((part) => {
    const summary = element("summary", {}, nameOf(part) ?? "object");
    return lazy("schema", summary, () => element("div", { className: "nested" }, objectView(resolve(part))));
  });
  return element("div", {}, head, ...parts);
}

export function objectView(schema) {
  const inside = element("div", {}, ...prose(schema.description));
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const className = required.has(name) ? "name required" : "name";
    const about = element("td", {}, schemaView(property), ...inline(property.description ?? ""));
    return element("tr", {}, element("td", { className }, name), about);
  });
  inside.append(rows.length ? element("table", { className: "fields" }, ...rows) : schemaView({ ...schema, description: undefined }));
  return inside;
}

const TEXTS = {
  "date-time": "2026-01-31T09:30:00Z",
  date: "2026-01-31",
  time: "09:30:00",
  decimal: "12.50",
  uuid: "6f1c0a52-7d0e-4c7b-9b1e-2f3a4b5c6d7e",
};

// A value that fits. Of an object that is to be sent only what must be there, because what is sent unread
// should change as little as it can; of one that is answered everything, and of records in it their ids.
export function example(schema, { whole = false, seen = [] } = {}) {
  const go = (part, more = seen) => example(part, { whole, seen: more });
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined && !whole) return schema.default;
  if (schema.$ref) {
    const name = nameOf(schema);
    return seen.includes(name) ? null : go(resolve(schema), [...seen, name]);
  }
  if (schema.const !== undefined) return schema.const;
  if (optionsOf(schema)) return go(optionsOf(schema)[0]);
  if (schema.enum) return schema.enum.find((value) => value !== null) ?? null;
  if (schema.properties) {
    const required = new Set(schema.required);
    const wanted = Object.entries(schema.properties).filter(([name]) => whole || required.has(name));
    return Object.fromEntries(wanted.map(([name, property]) => [name, go(property)]));
  }
  if (schema.prefixItems) return schema.prefixItems.map((item) => go(item));
  if (schema.type === "array") return whole && schema.items ? [go(schema.items)] : [];
  if (schema.type === "integer" || schema.type === "number") return Math.max(schema.minimum ?? 0, whole ? 1 : 0);
  if (schema.type === "boolean") return false;
  if (schema.type === "object") return {};
  return schema.type === "string" ? text(schema, whole) : null;
}

function text(schema, whole) {
  const fixed = TEXTS[schema.format];
  if (fixed !== undefined) return fixed;
  const wanted = whole ? Math.max(schema.minLength ?? 0, 1) : schema.minLength ?? 0;
  return wanted ? "text".repeat(Math.ceil(wanted / 4)).slice(0, Math.max(wanted, 4)).slice(0, schema.maxLength) : "";
}

export function exampleView(schema) {
  return coloured(JSON.stringify(example(schema, { whole: true }), null, 2));
}
