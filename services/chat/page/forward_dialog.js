// Asking for the chat that a message is forwarded to.

import { openDialog } from "./dialogs.js";
import { element } from "./dom.js";
import { avatar } from "./parts.js";
import { chatsCalled, hueOf, may, titleOf } from "./selectors.js";

/** Ask, and forward. */
export function forwardDialog({ state, message, actions }) {
  const list = element("ul", { class: "choices" });
  const input = element("input", { type: "search", placeholder: "Search", "aria-label": "Search chats", autocomplete: "off" });
  const { close } = openDialog({ title: "Forward to" }, input, list);
  const show = () => {
    const chats = chatsCalled(state, input.value).filter((chat) => may(state, chat, "can_write"));
    const none = element("li", { class: "empty" }, "No such chat.");
    list.replaceChildren(...(chats.length === 0 ? [none] : chats.map((chat) => choice(chat, state.user.id, choose))));
  };
  const choose = async (chat) => {
    close();
    if (await actions.forward(message, chat.id)) actions.say(`Forwarded to ${titleOf(chat, state.user.id)}.`);
  };
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.querySelector("button")?.click();
    else if (event.key === "ArrowDown") list.querySelector("button")?.focus();
  });
  show();
  input.focus();
}

function choice(chat, me, choose) {
  const title = titleOf(chat, me);
  return element(
    "li",
    {},
    element(
      "button",
      { class: "choice", type: "button", on: { click: () => choose(chat) } },
      avatar(hueOf(chat, me), title),
      element("span", {}, title),
    ),
  );
}
