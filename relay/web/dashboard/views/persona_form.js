// The usual fields of a persona beside its text: neither loses what the other wrote.

import { field, h } from "../dom.js";
import { knows, language, t } from "../words.js";

const LINES = ["greeting", "thinking", "waiting"];
const FEELINGS = [
  "happy", "laughing", "funny", "sad", "angry", "crying", "loving", "embarrassed", "surprised",
  "shocked", "thinking", "winking", "cool", "relaxed", "delicious", "kissy", "confident", "sleepy",
  "silly", "confused", "neutral",
];

/** What stands in a field with a line for each. */
export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** Languages as they are typed: "ko, en". */
export const codes = (text) => text.toLowerCase().split(/[\s,]+/).filter(Boolean);

/** What a language is called in the page's own. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([language()], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/**
 * @param {any} shown the fields as the relay has read them
 * @param {(form: any) => void} changed
 * @returns {{box: HTMLElement, wrong: (key: string, why: string) => void}}
 */
export function personaForm(shown, changed) {
  const form = structuredClone(shown);
  const places = {};
  const place = (key, input, hint = "") => {
    const problem = h("p.wrong", { id: `wrong-${key}` });
    const box = field(t(`persona_${key}`), input, hint);
    box.append(problem);
    places[key] ??= { input, problem };
    return box;
  };
  const text = (key, read, write, props = {}, tag = "input") => {
    const input = h(tag, { value: write(form[key]), ...props });
    input.addEventListener("change", () => {
      form[key] = read(input.value);
      changed(form);
    });
    return input;
  };
  const plain = (value) => value;
  const area = { rows: 4, autocapitalize: "off" };
  const box = h("div.persona-form", {},
    h("div.pair", {},
      place("name", text("name", plain, plain, { maxlength: 40 })),
      place("owner", text("owner", plain, plain, { maxlength: 40 }), t("persona_owner_hint"))),
    h("div.pair", {},
      place("languages", text("languages", codes, (all) => all.join(", "), { autocapitalize: "off" }), t("persona_languages_hint")),
      place("voice", text("voice", plain, plain, { maxlength: 64, autocapitalize: "off" }), t("persona_voice_hint"))),
    place("character", text("character", plain, plain, { rows: 9 }, "textarea"), t("persona_character_hint", { name: "{name}", owner: "{owner}" })),
    place("rules", text("rules", lines, (all) => all.join("\n"), area, "textarea"), t("persona_lines_hint")),
    place("wake", text("wake", lines, (all) => all.join("\n"), { rows: 2 }, "textarea"), t("persona_lines_hint")),
    spoken(form, changed, places),
    lights(form, changed, places),
    quiet(form, changed, places));
  const wrong = (key, why) => {
    for (const [name, { input, problem }] of Object.entries(places)) {
      problem.textContent = name === key ? why : "";
      if (name === key) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    const found = places[key];
    const group = found?.problem.closest("details");
    if (group) group.open = true;
    return Boolean(found);
  };
  return { box, wrong };
}

function group(key, places, ...parts) {
  const problem = h("p.wrong");
  const box = h("details.group", {}, h("summary", {}, t(`persona_${key}`)), h("div", {}, ...parts, problem));
  places[key] = { input: box, problem };
  return box;
}

function spoken(form, changed, places) {
  return group("lines", places, h("p.dim.small", {}, t("persona_lines_why")),
    ...form.languages.flatMap((code) => LINES.map((key) => {
      const input = h("textarea", { rows: 3, value: (form.lines[code]?.[key] ?? []).join("\n") });
      input.addEventListener("change", () => {
        form.lines[code] = { ...form.lines[code], [key]: lines(input.value) };
        changed(form);
      });
      return field(t(`persona_${key}`, { language: languageName(code) }), input, t("persona_lines_hint"));
    })));
}

function lights(form, changed, places) {
  const list = h("ul.lines");
  const called = (feeling) => (knows(`feeling_${feeling}`) ? t(`feeling_${feeling}`) : feeling);
  const more = h("select", { "aria-label": t("persona_light_add") });
  const draw = () => {
    list.replaceChildren(...Object.entries(form.lights).map(([feeling, colour]) => {
      const input = h("input", { type: "color", value: colour, "aria-label": called(feeling) });
      input.addEventListener("change", () => {
        form.lights[feeling] = input.value;
        changed(form);
      });
      return h("li.light", {}, input, h("span", {}, called(feeling)), h("button.quiet", {
        type: "button", "aria-label": t("delete_one", { what: called(feeling) }),
        onclick: () => {
          delete form.lights[feeling];
          draw();
          changed(form);
        },
      }, "✕"));
    }));
    const free = FEELINGS.filter((feeling) => !(feeling in form.lights));
    more.replaceChildren(h("option", { value: "" }, t("persona_light_add")),
      ...free.map((feeling) => h("option", { value: feeling }, called(feeling))));
  };
  more.addEventListener("change", () => {
    form.lights[more.value] = "#ff8fb1";
    draw();
    changed(form);
  });
  draw();
  return group("lights", places, h("p.dim.small", {}, t("persona_lights_why")), list, more);
}

function quiet(form, changed, places) {
  const kept = form.quiet ?? { start: "22:30", end: "07:00", answers: "softly", volume: 40 };
  const on = h("input", { type: "checkbox" });
  on.checked = form.quiet !== null;
  const from = h("input", { type: "time", value: kept.start }), to = h("input", { type: "time", value: kept.end });
  const answers = h("select", {}, ...["softly", "called"].map((value) =>
    h("option", { value, selected: value === kept.answers }, t(`persona_quiet_${value}`))));
  const volume = h("input", { type: "number", min: 1, max: 100, value: kept.volume });
  const details = h("div.pair", { hidden: !on.checked },
    field(t("persona_quiet_from"), from), field(t("persona_quiet_to"), to),
    field(t("persona_quiet_answers"), answers), field(t("persona_quiet_volume"), volume));
  const take = () => {
    details.hidden = !on.checked;
    form.quiet = on.checked && from.value && to.value ? {
      start: from.value, end: to.value, answers: answers.value,
      volume: Math.min(100, Math.max(1, Math.round(Number(volume.value) || 40))),
    } : null;
    changed(form);
  };
  for (const input of [on, from, to, answers, volume]) input.addEventListener("change", take);
  return group("quiet", places, h("p.dim.small", {}, t("persona_quiet_why")),
    field(t("persona_quiet_on"), on), details);
}
