// The finger on the button, the space bar, and whatever else presses it.

/**
 * @param {HTMLElement} button
 * @param {{press: () => void, release: () => void, stop: () => void}} on
 */
export function listenForTalk(button, on) {
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    on.press();
  });
  for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, on.release);
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
  button.addEventListener("click", (event) => {
    if (event.detail !== 0) return; // a finger or a mouse has been heard already
    on.press(); // a screen reader, or the enter key: a tap
    on.release();
  });
  addEventListener("keydown", (event) => {
    if (event.code === "Escape") on.stop();
    if (event.code !== "Space" || !isForTalk(event, button)) return;
    event.preventDefault();
    if (!event.repeat) on.press();
  });
  addEventListener("keyup", (event) => {
    if (event.code !== "Space" || !isForTalk(event, button)) return;
    event.preventDefault();
    on.release();
  });
  addEventListener("blur", on.release);
}

/** Whether no other control wants this key. @param {KeyboardEvent} event @param {HTMLElement} button */
function isForTalk(event, button) {
  const target = event.target instanceof HTMLElement ? event.target : button;
  return target === button || !target.closest("button, input, a");
}
