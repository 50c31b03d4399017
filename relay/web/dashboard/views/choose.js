// Selects that several views have.

import * as api from "../api.js";
import { h } from "../dom.js";
import { state } from "../live.js";
import { t } from "../words.js";

/** A select of all personas that can be used. @param {string} chosen */
export function choosePersona(chosen) {
  const select = h("select", {}, h("option", { value: "" }, t("persona_usual")));
  if (chosen) select.append(h("option", { value: chosen, selected: true }, chosen));
  api.get("/api/personas").then((found) => {
    for (const { id, name, problem } of found) {
      const there = [...select.options].find((option) => option.value === id);
      if (there) there.textContent = `${name} (${id})`;
      else if (!problem) select.append(h("option", { value: id }, `${name} (${id})`));
    }
  }, () => {});
  return select;
}

/** Which doll a view is about: the one chosen last. @param {(id: string) => void} onChange */
export function chooseDoll(onChange) {
  const select = h("select", { "aria-label": t("which_doll") });
  select.addEventListener("change", () => {
    sessionStorage.setItem("doll", select.value);
    onChange(select.value);
  });
  const update = () => {
    const ids = state.dolls.map(({ id }) => id).join(" ");
    if (select.dataset.ids === ids) return select.value;
    select.dataset.ids = ids;
    const kept = select.value || sessionStorage.getItem("doll");
    const online = state.dolls.find((doll) => !["offline", "revoked"].includes(doll.state));
    const chosen = state.dolls.find(({ id }) => id === kept) ?? online ?? state.dolls[0];
    select.replaceChildren(...state.dolls.map(({ id, name }) =>
      h("option", { value: id, selected: id === chosen?.id }, name)));
    select.hidden = state.dolls.length < 2;
    return chosen?.id ?? "";
  };
  return { select, update };
}
