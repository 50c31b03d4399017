// What a doll remembers: its owner reads, changes, takes along and deletes it.

import * as api from "../api.js";
import { dialog, h, tell } from "../dom.js";
import { byId, listen, state } from "../live.js";
import { moment, number, t } from "../words.js";
import { chooseDoll } from "./choose.js";
import { recordings } from "./recordings.js";
import { details } from "./waterfall.js";

export function mount(root) {
  const { select, update } = chooseDoll((id) => open(id));
  const place = h("div.two");
  root.append(h("div.title", {}, h("h2", {}, t("nav_memory")), select), place);
  let shown = null;

  async function open(id) {
    shown = id;
    if (!id) return place.replaceChildren(h("p.dim", {}, t("no_dolls")));
    try {
      const [kept, page, recorded] = await Promise.all([
        api.get(api.doll(id, "/memory")), api.get(api.doll(id, "/turns")), recordings(id)]);
      if (shown !== id) return;
      place.replaceChildren(h("div.column", {}, facts(id, kept), recorded), history(id, kept, page, open));
    } catch (error) {
      place.replaceChildren(h("p.wrong", {}, error.message));
    }
  }

  const choose = () => {
    const id = update();
    if (id !== shown) open(id);
  };
  if (state.version) choose();
  return listen((kind) => (kind === "start" || kind === "overview") && choose());
}

function facts(id, kept) {
  const list = h("ul.lines");
  const add = (fact) => {
    const input = h("input", {
      value: fact.text, maxlength: 200, "aria-label": t("fact"), autocomplete: "off",
    });
    input.dataset.at = fact.at;
    const line = h("li", {}, input, h("button.quiet", {
      type: "button", "aria-label": t("delete_one", { what: fact.text }), onclick: () => line.remove(),
    }, "✕"));
    list.append(line);
    return input;
  };
  kept.facts.forEach(add);
  const save = async (event) => {
    event.preventDefault();
    const wanted = [...list.querySelectorAll("input")].map((input) => ({
      at: Number(input.dataset.at), text: input.value,
    }));
    try {
      const now = await api.put(api.doll(id, "/facts"), { facts: wanted });
      list.replaceChildren();
      now.facts.forEach(add);
      tell(t("facts_saved"));
    } catch (error) {
      tell(error.message, true);
    }
  };
  return h("section.card", {}, h("h3", {}, t("facts")), h("p.dim", {}, t("facts_why")),
    h("form", { onsubmit: save }, list,
      h("div.row", {},
        h("button", { type: "button", onclick: () => add({ at: 0, text: "" }).focus() }, t("fact_add")),
        h("button.main", {}, t("save")))));
}

function history(id, kept, page, open) {
  const list = h("ol.history");
  const more = h("button", { type: "button" }, t("earlier"));
  let before = null;
  const show = ({ turns, before: next }) => {
    list.prepend(...turns.map((turn) => exchange(id, turn)));
    before = next;
    more.hidden = next === null;
  };
  more.addEventListener("click", async () => {
    try {
      show(await api.get(api.doll(id, `/turns?before=${before}`)));
    } catch (error) {
      tell(error.message, true);
    }
  });
  show(page);
  const days = kept.days ? t("kept_days", { n: number(kept.days) }) : t("kept_always");
  return h("section.card", {}, h("h3", {}, t("history")),
    h("p.dim", {}, t("history_amount", { n: number(kept.turns) }), " ", days),
    kept.summary && h("blockquote", {}, kept.summary),
    more, list,
    h("div.row", {},
      h("a.button", { href: api.doll(id, "/memory.json"), download: "" }, t("export")),
      h("button.danger", { type: "button", onclick: () => forget(id, open) }, t("forget"))));
}

function exchange(id, turn) {
  const item = h("li.exchange", {}, h("div.head", {}, h("time.dim", {}, moment(turn.at)),
    h("button.quiet", {
      type: "button", "aria-label": t("delete_one", { what: turn.heard || turn.said }),
      onclick: async () => {
        try {
          await api.remove(api.doll(id, `/turns/${turn.id}`));
          item.remove();
        } catch (error) {
          tell(error.message, true);
        }
      },
    }, "✕")), turn.heard && h("p.heard", {}, turn.heard), turn.said && h("p.said", {}, turn.said),
  details(turn));
  return item;
}

function forget(id, open) {
  const go = (query) => async () => {
    try {
      await api.remove(api.doll(id, `/memory${query}`));
      tell(t("forgotten"));
      close();
      open(id);
    } catch (error) {
      tell(error.message, true);
    }
  };
  const { close } = dialog(t("forget_title", { name: byId(id)?.name ?? "" }), t("close"),
    h("p", {}, t("forget_why")),
    h("div.row", {},
      h("button.danger", { type: "button", onclick: go("?keep_facts=true") }, t("forget_talk")),
      h("button.danger", { type: "button", onclick: go("") }, t("forget_all"))));
}
