// Who is signed in. Tokens live in this module's variables: they are gone when the page is.

import { byId } from "./dom.js";

const EARLY_SECONDS = 30; // a token that ends while a request is on its way is renewed before it
let base = null;
let access = null; // {token, name, ends (ms), refresh}

export async function authorization() {
  if (access?.refresh && Date.now() > access.ends - EARLY_SECONDS * 1000) await renew();
  return access ? `Bearer ${access.token}` : null;
}

export function setUp(documentBase, paths) {
  base = documentBase;
  byId("by-password").hidden = !paths["/signin"];
  const dialog = byId("signin");
  byId("account").addEventListener("click", () => (access ? signOut() : dialog.showModal()));
  byId("cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => byId("credentials").reset());
  byId("credentials").addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("refused").textContent = "";
    try {
      await signIn(new FormData(event.target));
      dialog.close();
    } catch (error) {
      byId("refused").textContent = error.message;
    }
  });
}

async function signIn(fields) {
  const token = fields.get("token").trim();
  if (token) {
    remember({ token, name: "a token", ends: Infinity, refresh: null });
    return;
  }
  take(await post("signin", { login: fields.get("login"), password: fields.get("password") }));
}

async function renew() {
  try {
    take(await post("token/refresh", { refresh_token: access.refresh }));
  } catch {
    remember(null); // the session is over: the next answer says 401, and why
  }
}

function signOut() {
  const token = access.token;
  if (access.refresh) fetch(new URL("logout", base), { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  remember(null);
}

function take(answer) {
  const ends = Date.now() + answer.expires_in * 1000;
  const name = answer.user?.login ?? access?.name ?? "";
  remember({ token: answer.access_token, name, ends, refresh: answer.refresh_token });
}

function remember(now) {
  access = now;
  byId("account").textContent = now ? `Sign out ${now.name}` : "Sign in";
  byId("account").classList.toggle("on", Boolean(now));
}

async function post(path, body) {
  const answer = await fetch(new URL(path, base), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "omit",
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail ?? `${answer.status}`);
  return found;
}
