// What a member of a chat may do, and removing him. For administrators of the chat.

import { openDialog } from "./dialogs.js";
import { element } from "./dom.js";

const RIGHTS = [
  ["is_admin", "Administrator", "may do everything, and manages members and rights"],
  ["can_read", "Read", ""],
  ["can_write", "Write", "messages and reactions"],
  ["can_pin", "Pin", "messages"],
  ["can_invite", "Invite", "add people"],
  ["can_delete_others", "Delete", "messages of others"],
];

/** Show and change the rights of a member, each as soon as it is switched. */
export function memberDialog({ chat, member, chatActions }) {
  const rows = RIGHTS.map(([right, label, more]) => {
    const box = element("input", { type: "checkbox", name: right, checked: member[right] });
    box.addEventListener("change", async () => {
      if (!(await chatActions.changeMember(chat.id, member.user_id, { [right]: box.checked }))) box.checked = !box.checked;
    });
    const explained = element("span", { class: "faint" }, ` ${more}`);
    return element("label", { class: "check" }, box, element("span", {}, label, explained));
  });
  const remove = element("button", { class: "quiet danger", type: "button" }, "Remove from the chat");
  const { close } = openDialog(
    { title: member.name, classes: "small" },
    element("div", { class: "rights" }, ...rows),
    element("div", { class: "buttons" }, remove),
  );
  remove.addEventListener("click", () => {
    close();
    chatActions.removeMember(chat.id, member.user_id);
  });
}
