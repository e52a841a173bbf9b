// A request as it is filled in: sent, or shown as a command.

import { authorization } from "./account.js";

const base = new URL(".", document.baseURI);

// `inputs` are [parameter, text] pairs. An empty one is left out, but a path parameter, which has to be there.
export function prepare(path, method, inputs, body) {
  const query = new URLSearchParams();
  const headers = {};
  let filled = path;
  for (const [parameter, text] of inputs) {
    if (parameter.in === "path") {
      if (!text) throw new Error(`\`${parameter.name}\` has to be filled in`);
      filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(text));
    } else if (!text) continue;
    else if (parameter.in === "header") headers[parameter.name] = text;
    else if (isRepeated(parameter)) text.split(",").forEach((one) => query.append(parameter.name, one.trim()));
    else query.append(parameter.name, text);
  }
  const url = new URL(filled.slice(1), base);
  url.search = query.toString();
  if (body !== null) headers["Content-Type"] = "application/json";
  return { method: method.toUpperCase(), url, headers, body };
}

const isRepeated = (parameter) => parameter.schema?.type === "array" && parameter.explode !== false;

export async function send(request, isPrivate) {
  const token = isPrivate ? await authorization() : null;
  const headers = token ? { ...request.headers, Authorization: token } : request.headers;
  const began = performance.now();
  const answer = await fetch(request.url, {
    method: request.method, headers, body: request.body, credentials: "omit", cache: "no-store", redirect: "manual",
  });
  const text = await answer.text();
  return { answer, text, took: Math.round(performance.now() - began) };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The token is left to the shell: what is copied is pasted into letters and logs.
export function asCurl(request, isPrivate) {
  const parts = [request.method === "GET" ? "curl" : `curl -X ${request.method}`, quoted(request.url.href)];
  if (isPrivate) parts.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(request.headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== null) parts.push(`--data ${quoted(request.body)}`);
  return parts.join(" \\\n  ");
}
