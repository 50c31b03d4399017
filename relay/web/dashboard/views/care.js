// One doll's settings, and what its owner can do with it.

import * as api from "../api.js";
import { dialog, field, h, tell } from "../dom.js";
import { sure } from "../sure.js";
import { t } from "../words.js";
import { choosePersona } from "./choose.js";
import { firmware } from "./firmware.js";

const HOURS = [1, 8, 24];

/** @param {any} doll as the live stream has it */
export async function care(doll) {
  let kept, told;
  try {
    [kept, told] = await Promise.all(["/settings", "/instruction"].map((path) =>
      api.get(api.doll(doll.id, path))));
  } catch (error) {
    return tell(error.message, true);
  }
  const act = (path, method, body, said, ends = false) => async () => {
    try {
      await api[method](api.doll(doll.id, path), body);
      tell(t(said, { name: doll.name }));
      if (ends) close();
    } catch (error) {
      tell(error.message, true);
    }
  };
  const { close } = dialog(doll.name, t("close"), about(doll), instruction(doll, told), volume(doll), listening(doll, kept),
    firmware(doll.id), recorder(doll, act), h("section", {}, h("h3", {}, t("keys")),
      h("div.row", {},
        h("button", { type: "button", onclick: act("/rotate", "post", {}, "rotate_done") }, t("rotate")),
        sure("revoke", doll, act("/revoke", "post", {}, "revoke_done", true)),
        sure("forget_doll", doll, act("", "remove", undefined, "forget_doll_done", true)))));
}

function about(doll) {
  const name = h("input", { value: doll.name, maxlength: 40, required: true });
  const persona = choosePersona(doll.persona);
  const language = h("select", {}, ...["", "ko", "en"].map((code) =>
    h("option", { value: code, selected: code === doll.language }, t(`speaks_${code || "usual"}`))));
  return saving("about", () => api.patch(api.doll(doll.id), {
    name: name.value, persona: persona.value, language: language.value,
  }), field(t("doll_name"), name), field(t("persona"), persona), field(t("speaks"), language));
}

function instruction(doll, told) {
  const text = h("textarea", { rows: 4, maxlength: 8000, value: told.instruction });
  return saving("instruction", () => api.put(api.doll(doll.id, "/instruction"), {
    instruction: text.value,
  }), field(t("instruction_text", { name: doll.name }), text, t("instruction_hint")));
}

function volume(doll) {
  if (doll.volume === null) return null;
  const shown = h("output", {}, t("percent", { n: doll.volume }));
  const slider = h("input", { type: "range", min: 0, max: 100, step: 5, value: doll.volume });
  slider.addEventListener("input", () => (shown.textContent = t("percent", { n: slider.value })));
  slider.addEventListener("change", async () => {
    try {
      await api.put(api.doll(doll.id, "/volume"), { volume: Number(slider.value) });
    } catch (error) {
      tell(error.message, true);
    }
  });
  return h("section.volume", {}, field(t("volume"), slider), shown);
}

function listening(doll, { own, usual }) {
  const bound = (key) => h("input", {
    type: "number", min: 100, max: 10000, step: 50, value: own.endpoint[key] ?? "",
    placeholder: usual.endpoint[key],
  });
  const [least, most] = [bound("min_ms"), bound("max_ms")];
  const byName = h("input", { type: "checkbox" });
  byName.checked = own.listen.by_name ?? usual.listen.by_name;
  const given = (input) => (input.value === "" ? null : Number(input.value));
  return saving("listening", () => api.put(api.doll(doll.id, "/settings"), {
    endpoint: { ...own.endpoint, min_ms: given(least), max_ms: given(most) },
    listen: {
      ...own.listen,
      by_name: byName.checked === usual.listen.by_name ? null : byName.checked,
    },
  }), field(t("min_ms"), least, t("min_ms_hint")), field(t("max_ms"), most, t("max_ms_hint")),
  field(t("by_name", { name: doll.character }), byName), h("p.dim", {}, t("listening_when")));
}

function recorder(doll, act) {
  const on = doll.recorder_until && doll.recorder_until > Date.now() / 1000;
  return h("section", {}, h("h3", {}, t("recorder")), h("p.dim", {}, t("recorder_why")),
    h("div.row", {}, on
      ? h("button", { type: "button", onclick: act("/recorder", "put", { hours: 0 }, "recorder_off", true) }, t("recorder_end"))
      : HOURS.map((hours) => h("button", {
        type: "button", onclick: act("/recorder", "put", { hours }, "recorder_on", true),
      }, t("hours", { n: hours })))));
}

function saving(title, save, ...fields) {
  const submit = async (event) => {
    event.preventDefault();
    try {
      await save();
      tell(t("saved"));
    } catch (error) {
      tell(error.message, true);
    }
  };
  return h("form", { onsubmit: submit }, h("h3", {}, t(title)), ...fields,
    h("button.main", {}, t("save")));
}
