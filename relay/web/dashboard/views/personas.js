// Who the dolls are: read, write, try out, hear.

import * as api from "../api.js";
import { field, h, tell } from "../dom.js";
import { t } from "../words.js";
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
  const area = h("textarea.code", { value: text, rows: 22, spellcheck: "false", autocapitalize: "off" });
  const wrong = h("p.wrong", { role: "alert" });
  const save = async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    try {
      await api.put(`/api/personas/${name.value}`, { text: area.value });
      tell(t("persona_saved"));
      changed();
    } catch (error) {
      wrong.textContent = error.message;
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
      h("form", { onsubmit: save },
        field(t("persona_id"), name, t("persona_id_hint")),
        field(t("persona_text"), area, t("persona_text_hint")), wrong,
        h("div.row", {}, h("button.main", {}, t("save")),
          one.own && h("button.danger", { type: "button", onclick: drop },
            t(one.shipped ? "persona_restore" : "persona_remove"))))),
    tryOut(() => area.value)));
  title.focus();
  title.scrollIntoView({ block: "start" });
}

/** Put the cursor on a line. @param {HTMLTextAreaElement} area */
function goTo(area, line) {
  if (!line) return;
  const rows = area.value.split("\n");
  const start = rows.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (rows[line - 1]?.length ?? 0));
}
