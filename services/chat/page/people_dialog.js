// Asking for people: for a new chat, or to add to one that there is.

import { openDialog } from "./dialogs.js";
import { element, setText } from "./dom.js";
import { PeoplePicker } from "./people_picker.js";

const KINDS = [
  ["direct", "Direct"],
  ["group", "Group"],
  ["channel", "Channel"],
];

/** Ask for a new chat; `opened(chatId)` is called with it. */
export function newChatDialog({ state, chatActions, opened }) {
  const name = element("input", { id: "chat-name", maxlength: "255", autocomplete: "off" });
  const nameField = element("div", { class: "fields" }, element("label", { for: "chat-name" }, "Name"), name);
  const kinds = element(
    "fieldset",
    { class: "kinds" },
    element("legend", { class: "unseen" }, "Kind of chat"),
    ...KINDS.map(([kind, label]) =>
      element("label", {}, element("input", { type: "radio", name: "kind", value: kind, checked: kind === "direct" }), element("span", {}, label)),
    ),
  );
  const kindOf = () => kinds.querySelector(":checked").value;
  const act = async (userIds) => opened(await chatActions.create(kindOf(), name.value.trim(), userIds));
  const mayBeNobody = () => kindOf() !== "direct";
  const form = peopleForm({ state, chatActions, verb: "Begin", act, above: [kinds, nameField], mayBeNobody });
  const show = () => {
    nameField.hidden = kindOf() === "direct";
    form.picker.most = kindOf() === "direct" ? 1 : Infinity;
  };
  kinds.addEventListener("change", show);
  show();
  form.open("New chat");
}

/** Ask for people to add to a chat. */
export function addPeopleDialog({ state, chatActions, chat }) {
  const without = new Set(chat.members.map((member) => member.user_id));
  const act = (userIds) => chatActions.addMembers(chat.id, userIds);
  peopleForm({ state, chatActions, verb: "Add", act, without, mayBeNobody: () => false }).open("Add people");
}

function peopleForm({ state, chatActions, verb, act, above = [], without = new Set(), mayBeNobody }) {
  const picker = new PeoplePicker({ state, find: (text) => chatActions.findPeople(text), without });
  const problem = element("p", { class: "problem", role: "alert" });
  const go = element("button", { class: "primary" }, verb);
  const below = [problem, element("div", { class: "buttons" }, go)];
  const form = element("form", { class: "fields people-form" }, ...above, ...picker.elements, ...below);
  return {
    picker,
    open(title) {
      const { close } = openDialog({ title }, form);
      picker.focus();
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (picker.userIds.length === 0 && !mayBeNobody()) return setText(problem, "Choose somebody from the list.");
        go.disabled = true;
        try {
          await act(picker.userIds);
          return close();
        } catch (error) {
          return setText(problem, error.message);
        } finally {
          go.disabled = false;
        }
      });
    },
  };
}
