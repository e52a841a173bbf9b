// A finger that rests on something. Not every browser calls that a context menu.

const RESTS_MS = 450;
const MOVED_PX = 10; // further, and it scrolls

/** Call `act(target)` when a finger rests on something in `container`. */
export function listenToLongTouch(container, act) {
  let timer = null;
  let from = null;
  const forget = () => clearTimeout(timer);
  container.addEventListener("pointerdown", (event) => {
    forget();
    if (event.pointerType !== "touch") return;
    from = event;
    timer = setTimeout(() => act(from.target), RESTS_MS);
  });
  container.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > MOVED_PX) forget();
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) container.addEventListener(end, forget);
  container.addEventListener("contextmenu", (event) => {
    if (!matchMedia("(hover: none)").matches || event.target.closest("a")) return;
    event.preventDefault();
    forget();
    act(event.target);
  });
}
