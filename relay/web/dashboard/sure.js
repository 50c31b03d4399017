// A button that asks once more before it does what cannot be undone.

import { h, tell } from "./dom.js";
import { t } from "./words.js";

const WAITS_MS = 6000;

/**
 * @param {string} key of its text; `KEY_sure` is the question
 * @param {Record<string, any>} values in both texts
 * @param {() => Promise<void>} then
 */
export function sure(key, values, then) {
  const button = h("button.danger", { type: "button" }, t(key));
  button.addEventListener("click", async () => {
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      button.textContent = t(`${key}_sure`, values);
      setTimeout(() => {
        delete button.dataset.sure;
        button.textContent = t(key);
      }, WAITS_MS);
      return;
    }
    try {
      await then();
    } catch (error) {
      tell(error.message, true);
    }
  });
  return button;
}
