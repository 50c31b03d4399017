// A doll's firmware: what it has, what there is, how an update goes.

import * as api from "../api.js";
import { h, tell } from "../dom.js";
import { byId, listen, state } from "../live.js";
import { knows, t } from "../words.js";

/** States in which pressing the button does something. */
const ASKABLE = ["available", "offered", "refused", "failed"];

/**
 * What is to be said about a doll's firmware.
 * @param {any} doll as the live stream has it
 * @param {string} shelf the version that the relay could give out; empty: none
 * @returns {{key: string, values: Record<string, string>, may: boolean, percent: number|null}}
 */
export function standing(doll, shelf) {
  const said = (key, may = false, percent = null) => ({
    key, may, percent, values: { version: doll.update_version, shelf, reason: doll.update_reason },
  });
  if (doll.id.startsWith("web-")) return said("firmware_page");
  if (["offline", "revoked"].includes(doll.state)) return said("firmware_away");
  if (!doll.update) return said("firmware_stock");
  if (doll.update === "current") return said(shelf ? "firmware_newest" : "firmware_none");
  return said(`update_${doll.update}`, ASKABLE.includes(doll.update), doll.update_percent);
}

/** The part of a dialog; it follows what happens for as long as it is shown. */
export function firmware(id) {
  const has = h("p"), news = h("p.dim", { role: "status" });
  const bar = h("progress", { max: 100, "aria-label": t("firmware") });
  const button = h("button", { type: "button" }, t("update_now"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await api.post(api.doll(id, "/update"));
      tell(t("update_asked"));
    } catch (error) {
      tell(error.message, true);
    }
    button.disabled = false;
  });
  const part = h("section.firmware", {}, h("h3", {}, t("firmware")), has, news, bar,
    h("div.row", {}, button));
  const draw = () => {
    const doll = byId(id);
    if (!doll) return;
    const { key, values, may, percent } = standing(doll, state.shelf);
    const own = [doll.firmware, doll.board].filter(Boolean).join(" · ");
    has.textContent = own && t("firmware_has", { version: own });
    has.hidden = !own;
    const why = `reason_${values.reason}`;
    news.textContent = t(key, { ...values, reason: knows(why) ? t(why) : values.reason });
    bar.hidden = percent === null;
    bar.value = percent ?? 0;
    button.hidden = !may;
  };
  draw();
  const deaf = listen((kind) => {
    if (!part.isConnected) deaf();
    else if (kind === "overview" || kind === "start") draw();
  });
  return part;
}
