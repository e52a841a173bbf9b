// One operation: what it takes, a way to try it, and what it answers.

import { coloured, copyButton, element, inline, lazy, prose } from "./dom.js";
import { asCurl, prepare, send } from "./request.js";
import { contentOf, example, exampleView, resolve, schemaView } from "./schema.js";

const MOST_SHOWN = 200_000; // characters: a browser takes seconds to lay out a few million

export function operationView({ path, method, operation }) {
  const link = new URL(`#${operation.operationId}`, document.baseURI);
  const isPrivate = Boolean(operation.security?.length);
  const inside = element("div", { className: "inside" }, ...prose(operation.description));
  const parameters = (operation.parameters ?? []).map(resolve);
  const inputs = parameters.map((parameter) => [parameter, inputOf(parameter)]);
  if (inputs.length) inside.append(element("h3", {}, "Parameters"), table(inputs));
  const [, media] = contentOf(operation.requestBody);
  const body = media ? bodyOf(media.schema) : null;
  if (body) inside.append(element("h3", {}, "Body"), body.view);
  const filled = () => prepare(path, method, inputs.map(([one, input]) => [one, input.value.trim()]), body?.area.value ?? null);
  inside.append(tryView(filled, isPrivate, link, inside));
  inside.append(element("h3", {}, "Answers"), answersView(operation.responses));
  return inside;
}

function table(inputs) {
  return element("table", { className: "fields" }, ...inputs.map(([parameter, input]) => {
    const schema = parameter.schema ?? contentOf(parameter)[1]?.schema ?? {};
    const name = element("span", { className: parameter.required ? "required" : "" }, parameter.name);
    const about = element("td", {}, schemaView(schema), ...inline(parameter.description));
    const place = element("div", { className: "quiet" }, parameter.in);
    return element("tr", {}, element("td", { className: "name" }, name, place), about, element("td", { className: "input" }, input));
  }));
}

function inputOf(parameter) {
  const schema = parameter.schema ?? {};
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum?.filter((value) => value !== null);
  if (choices) {
    const options = ["", ...choices].map((value) => element("option", { value: String(value) }, String(value)));
    return element("select", { "aria-label": parameter.name }, ...options);
  }
  const placeholder = schema.default === undefined ? "" : JSON.stringify(schema.default);
  const inputMode = schema.type === "integer" ? "numeric" : "text";
  return element("input", { placeholder, inputMode, "aria-label": parameter.name, autocomplete: "off", spellcheck: false });
}

function bodyOf(schema) {
  const least = JSON.stringify(example(schema), null, 2);
  const area = element("textarea", { value: least, spellcheck: false, "aria-label": "Body" });
  area.rows = Math.min(Math.max(least.split("\n").length + 1, 4), 20);
  const wrong = element("span", { className: "error", role: "status" });
  area.addEventListener("input", () => { wrong.textContent = complaint(area.value); });
  const whole = element("button", { type: "button", className: "small" }, "Every field");
  whole.addEventListener("click", () => {
    area.value = JSON.stringify(writable(example(schema, { whole: true }), schema), null, 2);
    area.rows = Math.min(area.value.split("\n").length + 1, 30);
    wrong.textContent = "";
    area.focus();
  });
  return { area, view: element("div", {}, schemaView(schema), area, element("div", { className: "row" }, whole, wrong)) };
}

// What may be left out and can be null is nothing that an example should set.
function writable(value, schema) {
  const properties = resolve(schema.anyOf?.[0] ?? schema).properties ?? {};
  const isNull = (name) => properties[name]?.anyOf?.some((option) => option.type === "null") && value[name] === null;
  return value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([name]) => !isNull(name)))
    : value;
}

function complaint(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

function tryView(filled, isPrivate, link, inside) {
  const result = element("div", { className: "result", "aria-live": "polite" });
  const button = element("button", { type: "button", className: "primary", title: "Ctrl+Enter" }, "Send");
  const act = async () => {
    if (button.disabled) return;
    button.disabled = true;
    try {
      result.replaceChildren(...resultView(await send(filled(), isPrivate)));
    } catch (error) {
      result.replaceChildren(element("p", { className: "error" }, ...inline(`Not sent: ${error.message}.`)));
    } finally {
      button.disabled = false;
    }
  };
  button.addEventListener("click", act);
  inside.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) act();
  });
  const curl = copyButton("Copy as curl", () => asCurl(filled(), isPrivate));
  const row = element("div", { className: "row" }, button, curl, copyButton("Copy link", () => link.href));
  return element("div", {}, row, result);
}

function resultView({ answer, text, took }) {
  const kind = answer.ok ? "good" : "bad";
  const status = element("b", { className: `status ${kind}` }, `${answer.status} ${answer.statusText}`);
  const line = element("p", {}, status, ` ${took} ms, ${text.length.toLocaleString("en")} characters`);
  const names = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const headers = lazy("schema", element("summary", {}, "Headers"), () => element("pre", {}, names));
  const isJson = /[/+]json\b/.test(answer.headers.get("content-type") ?? "");
  const shown = [line, headers];
  if (text) {
    const whole = isJson ? indented(text) : text;
    const part = whole.slice(0, MOST_SHOWN);
    shown.push(isJson ? coloured(part) : element("pre", { tabIndex: 0 }, part));
    if (part.length < whole.length) shown.push(element("p", { className: "quiet" }, "The rest is not shown."));
    shown.push(element("div", { className: "row" }, copyButton("Copy the answer", () => whole)));
  }
  return shown;
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // many lines of JSON, or cut short on its way: shown as it came
  }
}

function answersView(responses) {
  const all = Object.entries(responses);
  const refused = all.filter(([, response]) => response.$ref);
  const problem = contentOf(refused[0]?.[1])[1]?.schema;
  const shape = problem ? element("div", { className: "shape" }, schemaView(problem)) : null;
  return element("div", {}, ...all.filter(([, response]) => !response.$ref).map(answerView), ...refused.map(refusalView), shape);
}

function answerView([status, response]) {
  const [type, media] = contentOf(response);
  const schema = media?.schema;
  const about = element("div", {}, ...inline(response.description), headersView(response));
  if (schema && !/[/+]json$/.test(type)) about.append(" ", element("span", { className: "type" }, type));
  else if (schema && Object.keys(schema).length) {
    about.append(schemaView(schema), lazy("schema", element("summary", {}, "Example"), () => exampleView(schema)));
  }
  return element("div", { className: "answer" }, element("b", { className: "good" }, status), about);
}

// Refusals all have one shape, which is told once below them.
function refusalView([status, reference]) {
  const response = resolve(reference);
  const about = element("div", {}, ...inline(response.description), headersView(response));
  return element("div", { className: "answer" }, element("b", { className: "bad" }, status), about);
}

function headersView(response) {
  const headers = Object.entries(response.headers ?? {}).filter(([name]) => name !== "X-Request-ID");
  const lines = headers.map(([name, header]) => {
    const { description } = resolve(header);
    return element("div", { className: "quiet" }, element("code", {}, name), " ", ...inline(description));
  });
  return element("div", {}, ...lines);
}
