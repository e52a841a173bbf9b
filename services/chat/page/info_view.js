// About a chat: its name and description, its members and their rights, and what can be done with all of it.

import { confirmDialog, openDialog } from "./dialogs.js";
import { KeyedList, element, setText } from "./dom.js";
import { icon } from "./icons.js";
import { memberDialog } from "./member_dialog.js";
import { avatar, unseen } from "./parts.js";
import { hueOf, may, partnerOf, titleOf } from "./selectors.js";

const KINDS = { direct: "Direct chat", group: "Group", channel: "Channel: administrators write", record: "Chat about a record" };

export class InfoView {
  #head = element("div", { class: "info-head" });
  #buttons = element("div", { class: "info-buttons" });
  #count = element("h3", { class: "heading" });
  #members = element("ul", { class: "choices", id: "member-list" });
  #list;
  #chatActions;
  #addPeople;
  #parts = [];

  constructor({ chatActions, addPeople }) {
    this.#chatActions = chatActions;
    this.#addPeople = addPeople;
    this.#list = new KeyedList(this.#members, (item) => memberRow(item));
  }

  get elements() {
    this.#parts = [];
    return [this.#head, this.#buttons, this.#count, this.#members];
  }

  show(state, chat) {
    const { id, name, description, archived, pinned, members } = chat;
    const rights = ["is_admin", "can_invite"].map((right) => may(state, chat, right));
    const parts = [id, name, description, archived, pinned, members.length, ...rights];
    const isChanged = parts.some((part, index) => part !== this.#parts[index]);
    this.#parts = parts;
    if (isChanged) this.#showHead(state, chat);
    if (isChanged) this.#showButtons(state, chat);
    setText(this.#count, `${chat.members.length} ${chat.members.length === 1 ? "member" : "members"}`);
    const isManager = may(state, chat, "is_admin") && chat.chat_type !== "direct";
    this.#list.show(
      chat.members.map((member) => {
        const isMe = member.user_id === state.user.id;
        const isOnline = isMe || (state.online[member.user_id] ?? false);
        const login = state.people[member.user_id]?.login;
        const edit = isManager && !isMe ? () => memberDialog({ chat, member, chatActions: this.#chatActions }) : null;
        const { last_read_message_id: _, ...looks } = member;
        const parts = [JSON.stringify(looks), isOnline, login, isManager];
        return { key: member.user_id, parts, member, isOnline, login, isMe, edit };
      }),
    );
  }

  #showHead(state, chat) {
    const title = titleOf(chat, state.user.id);
    this.#head.replaceChildren(
      avatar(hueOf(chat, state.user.id), title, { size: "large" }),
      element("p", { class: "info-title", dir: "auto" }, title),
      element("p", { class: "faint" }, chat.archived ? `${KINDS[chat.chat_type]} · archived` : KINDS[chat.chat_type]),
    );
    if (chat.description) this.#head.append(element("p", { class: "text description", dir: "auto" }, chat.description));
  }

  #showButtons(state, chat) {
    const actions = this.#chatActions;
    const isManager = may(state, chat, "is_admin");
    const isDirect = partnerOf(chat, state.user.id) !== undefined || chat.chat_type === "direct";
    const mayGrow = !isDirect && chat.chat_type !== "record" && may(state, chat, "can_invite");
    const button = (picture, label, act, isDanger = false) => {
      const classes = isDanger ? "row-button danger" : "row-button";
      return element("button", { class: classes, type: "button", on: { click: act } }, icon(picture), label);
    };
    const items = [
      mayGrow && button("people", "Add people", () => this.#addPeople(chat)),
      isManager && !isDirect && !chat.archived && button("edit", "Name and description", () => changeDialog(chat, actions)),
      button("pin", chat.pinned ? "Do not keep at the top" : "Keep at the top", () => actions.pin(chat.id, !chat.pinned)),
      isManager && button("archive", chat.archived ? "Open again" : "Archive", () => actions.archive(chat.id, !chat.archived)),
      !isDirect && button("leave", "Leave", () => confirmLeave(chat, actions), true),
      isManager && button("trash", "Delete for everybody", () => confirmDelete(chat, actions), true),
    ];
    this.#buttons.replaceChildren(...items.filter(Boolean));
  }
}

function memberRow({ member, isOnline, login, isMe, edit }) {
  const role = member.is_admin ? "administrator" : !member.can_read && "may not read";
  const facts = [login && `@${login}`, role].filter(Boolean);
  const inside = [
    avatar(member.user_id, member.name, { isOnline }),
    element(
      "span",
      { class: "two-lines" },
      element("span", {}, isMe ? `${member.name} (you)` : member.name, unseen(isOnline ? ", online" : ", offline")),
      element("span", { class: "faint" }, facts.join(" · ")),
    ),
  ];
  if (edit === null) return element("li", { class: "choice" }, ...inside);
  const button = { class: "choice", type: "button", title: "Rights", on: { click: edit } };
  return element("li", {}, element("button", button, ...inside, icon("more")));
}

function changeDialog(chat, chatActions) {
  const name = element("input", { id: "change-name", maxlength: "255", value: chat.name });
  const description = element("textarea", { id: "change-description", rows: "4", maxlength: "4000" });
  description.value = chat.description ?? "";
  const problem = element("p", { class: "problem", role: "alert" });
  const form = element(
    "form",
    { class: "fields" },
    element("label", { for: "change-name" }, "Name"),
    name,
    element("label", { for: "change-description" }, "Description"),
    description,
    problem,
    element("div", { class: "buttons" }, element("button", { class: "primary" }, "Save")),
  );
  const { close } = openDialog({ title: "Name and description" }, form);
  name.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await chatActions.change(chat.id, { name: name.value.trim(), description: description.value.trim() || null });
      close();
    } catch (error) {
      setText(problem, error.message);
    }
  });
}

function confirmLeave(chat, chatActions) {
  confirmDialog({
    ...{ title: "Leave this chat?", verb: "Leave", act: () => chatActions.leave(chat.id) },
    text: chat.members.length === 1 ? "You are the last one in it: it is gone then." : "You come back only when somebody adds you.",
  });
}

function confirmDelete(chat, chatActions) {
  confirmDialog({
    ...{ title: "Delete this chat?", verb: "Delete", act: () => chatActions.remove(chat.id) },
    text: "It is deleted for everybody with all that was said in it, and cannot be brought back.",
  });
}
