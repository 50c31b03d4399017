// Who the dolls are: read, write, try out, hear.

import * as api from "../api.js";
import { field, h, tell } from "../dom.js";
import { t } from "../words.js";
import { personaForm } from "./persona_form.js";
import { tryOut } from "./try.js";

export function mount(root) {
  const list = h("div.cards"), editor = h("div");
  root.append(h("div.title", {}, h("h2", {}, t("nav_personas"))),
    h("p.dim", {}, t("personas_why")), list, editor);
  const draw = async () => {
    try {
      const found = await api.get("/api/personas");
      list.replaceChildren(...found.map((one) => card(one, () => edit(editor, one, draw))));
    } catch (error) {
      list.replaceChildren(h("p.wrong", {}, error.message));
    }
  };
  draw();
  return () => {};
}

function card(one, open) {
  const kind = one.own ? (one.shipped ? "own_copy" : "own") : "shipped";
  return h("article.card", {},
    h("div.head", {}, h("h3", {}, one.name || one.id), one.usual && h("span.badge", {}, t("usual"))),
    h("p.dim", {}, [one.id, one.languages.join(", "), t(`persona_${kind}`)].filter(Boolean).join(" · ")),
    one.problem && h("p.wrong", {}, one.problem),
    h("div.row", {}, h("button", { type: "button", onclick: open, "aria-label": t("open_one", { what: one.name || one.id }) }, t("open"))));
}

async function edit(place, one, changed) {
  let text;
  try {
    ({ text } = await api.get(`/api/personas/${one.id}`));
  } catch (error) {
    return tell(error.message, true);
  }
  const name = h("input", { value: one.id, maxlength: 64, pattern: "[A-Za-z0-9_\\-]+", required: true });
  const { box, area, told, settled } = editor(text);
  const wrong = h("p.wrong", { role: "alert" });
  const save = async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    try {
      await settled();
      await api.put(`/api/personas/${name.value}`, { text: area.value });
      tell(t("persona_saved"));
      told("", "");
      changed();
    } catch (error) {
      wrong.textContent = error.message;
      if (told(error.values?.field ?? "", error.message)) return;
      goTo(area, Number(/line (\d+)/.exec(error.message)?.[1] ?? 0));
    }
  };
  const drop = async () => {
    try {
      await api.remove(`/api/personas/${one.id}`);
      tell(t(one.shipped ? "persona_restored" : "persona_removed"));
      place.replaceChildren();
      changed();
    } catch (error) {
      tell(error.message, true);
    }
  };
  const title = h("h3", { tabindex: -1 }, t("persona_edit", { name: one.name || one.id }));
  place.replaceChildren(h("div.two", {},
    h("section.card", {}, title,
      h("form", { onsubmit: save, novalidate: true },
        field(t("persona_id"), name, t("persona_id_hint")), box, wrong,
        h("div.row", {}, h("button.main", {}, t("save")),
          one.own && h("button.danger", { type: "button", onclick: drop },
            t(one.shipped ? "persona_restore" : "persona_remove"))))),
    tryOut(() => area.value)));
  title.focus();
  title.scrollIntoView({ block: "start" });
}

/** Fields and text of one persona; what is changed in one is read by the other. */
function editor(text) {
  const area = h("textarea.code", { value: text, rows: 22, spellcheck: "false", autocapitalize: "off" });
  const [asForm, asText] = ["form", "text"].map((key) => h("button", { type: "button" }, t(`persona_as_${key}`)));
  const fields = h("div"), source = field(t("persona_text"), area, t("persona_text_hint"));
  const problem = h("p.wrong");
  let form = null, languages = "", asked = Promise.resolve();

  /** One question after the other, so that the text is always that of the last change. */
  const ask = (given) => (asked = asked.then(async () => {
    try {
      const found = await api.post("/api/persona-form", { text: area.value, ...given });
      area.value = found.text;
      problem.textContent = "";
      const spoken = found.form.languages.join();
      if (!given.form || spoken !== languages) { // each language has lines of its own
        languages = spoken;
        form = personaForm(found.form, (changed) => ask({ form: changed }));
        fields.replaceChildren(form.box);
      }
      if (!form?.wrong(found.field, found.why)) problem.textContent = found.why;
      return true;
    } catch (error) {
      problem.textContent = error.message;
      return false;
    }
  }));
  const show = async (key) => {
    if (key === "form" && !(await ask({}))) key = "text"; // there a mistake can be mended
    fields.hidden = key !== "form";
    source.hidden = key === "form";
    asForm.setAttribute("aria-pressed", String(key === "form"));
    asText.setAttribute("aria-pressed", String(key !== "form"));
  };
  asForm.addEventListener("click", () => show("form"));
  asText.addEventListener("click", () => asked.then(() => show("text")));
  source.hidden = true;
  show("form");
  return {
    area,
    box: h("div.editor", {}, h("div.row.tabs", { role: "group", "aria-label": t("persona_how") }, asForm, asText),
      problem, fields, source),
    settled: () => asked,
    told: (key, why) => !fields.hidden && Boolean(form?.wrong(key, why)),
  };
}

/** Put the cursor on a line. @param {HTMLTextAreaElement} area */
function goTo(area, line) {
  if (!line || area.closest("[hidden]")) return;
  const rows = area.value.split("\n");
  const start = rows.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (rows[line - 1]?.length ?? 0));
}
