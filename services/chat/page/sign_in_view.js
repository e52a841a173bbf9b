// The form that asks who you are.

import { byId, setText } from "./dom.js";

export class SignInView {
  #screen = byId("sign-in");
  #problem = byId("sign-in-problem");
  #login = byId("login");
  #password = byId("password");
  #stay = byId("stay");

  /** `signIn(login, password, isLasting)` throws what went wrong. */
  constructor(signIn) {
    const form = byId("sign-in-form");
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      setText(this.#problem, "");
      button.disabled = true;
      try {
        await signIn(this.#login.value, this.#password.value, this.#stay.checked);
        this.#login.value = "";
      } catch (error) {
        setText(this.#problem, error.message);
        this.#password.focus();
      } finally {
        this.#password.value = ""; // right or wrong, it is not kept in the page
        button.disabled = false;
      }
    });
  }

  /** Show it, or hide it. `reason` says why one has to sign in again. */
  show(isShown, reason = null) {
    if (this.#screen.hidden === !isShown) return;
    this.#screen.hidden = !isShown;
    if (!isShown) return;
    setText(this.#problem, reason ?? "");
    this.#login.focus();
  }
}
