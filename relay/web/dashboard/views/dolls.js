// All dolls, how they are, and a place for a new one.

import * as api from "../api.js";
import { dialog, field, h, tell } from "../dom.js";
import { byId, listen, state } from "../live.js";
import { moment, number, t } from "../words.js";
import { care } from "./care.js";
import { choosePersona } from "./choose.js";

export function mount(root) {
  const list = h("div.cards");
  const cards = new Map();
  root.append(
    h("div.title", {}, h("h2", {}, t("nav_dolls")),
      h("button.main", { type: "button", onclick: pair }, t("pair"))),
    list,
    h("p.more", {}, h("a", { href: "/doll/" }, t("browser_doll"))),
  );
  const draw = () => {
    for (const [id, card] of cards) {
      if (byId(id)) continue;
      card.box.remove();
      cards.delete(id);
    }
    for (const doll of state.dolls) {
      if (!cards.has(doll.id)) {
        cards.set(doll.id, makeCard(doll.id));
        list.append(cards.get(doll.id).box);
      }
      cards.get(doll.id).update(doll);
    }
    list.classList.toggle("empty", !state.dolls.length);
    if (!state.dolls.length) list.replaceChildren(h("p.dim", {}, t("no_dolls")));
    else list.querySelector(":scope > p")?.remove();
  };
  draw();
  return listen((kind) => (kind === "start" || kind === "overview") && draw());
}

function makeCard(id) {
  const name = h("h3"), condition = h("p.state"), facts = h("dl.facts"), news = h("p.news");
  const box = h("article.card.doll", {}, h("div.head", {}, name, condition), facts, news,
    h("div.row", {},
      h("button", { type: "button", onclick: () => care(byId(id)) }, t("care")),
      h("a.button", { href: "#talk", onclick: () => sessionStorage.setItem("doll", id) }, t("nav_talk")),
      h("a.button", { href: "#memory", onclick: () => sessionStorage.setItem("doll", id) }, t("nav_memory"))));
  const update = (doll) => {
    box.dataset.state = doll.state;
    name.textContent = doll.name;
    condition.textContent = t(`state_${doll.state}`);
    facts.replaceChildren(...rows(doll).flatMap(([key, value]) => [
      h("dt", {}, t(key)), h("dd", {}, value)]));
    const said = newsOf(doll);
    news.hidden = !said.length;
    news.textContent = said.join(" ");
  };
  return { box, update };
}

function rows(doll) {
  const online = !["offline", "revoked"].includes(doll.state);
  const found = [["character", doll.character]];
  if (!online) found.push(["last_seen", doll.last_seen ? moment(doll.last_seen) : t("never_seen")]);
  if (doll.rssi !== null) found.push(["signal", t("signal_value", { word: t(`signal_${strength(doll.rssi)}`), dbm: doll.rssi })]);
  if (doll.battery !== null)
    found.push(["battery", t(doll.charging ? "percent_charging" : "percent", { n: doll.battery })]);
  if (doll.volume !== null) found.push(["volume", t("percent", { n: doll.volume })]);
  if (doll.firmware || doll.board) found.push(["firmware", [doll.firmware, doll.board].filter(Boolean).join(" · ")]);
  if (doll.relay) found.push(["at_relay", doll.relay]);
  if (online) found.push(["underruns", t("times", { n: number(doll.underruns) })]);
  return found;
}

function newsOf(doll) {
  const said = [];
  if (doll.update && doll.update !== "current")
    said.push(t(`update_${doll.update}`, { version: doll.update_version }));
  if (doll.recorder_until && doll.recorder_until > Date.now() / 1000)
    said.push(t("recorded_until", { when: moment(doll.recorder_until) }));
  if (doll.rotate) said.push(t("rotating"));
  return said;
}

const strength = (dbm) => (dbm >= -60 ? "good" : dbm >= -72 ? "fair" : "weak");

function pair() {
  const code = h("input", {
    inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 9, pattern: "[0-9 \\-]{6,9}",
  });
  const name = h("input", { maxlength: 40, autocomplete: "off" });
  const persona = choosePersona("");
  const wrong = h("p.wrong", { role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      const doll = await api.post("/api/pairings", {
        code: code.value, name: name.value, persona: persona.value,
      });
      tell(t("paired", { name: doll.name }));
      close();
    } catch (error) {
      wrong.textContent = error.message;
      code.select();
    }
  };
  const { close } = dialog(t("pair"), t("close"),
    h("form", { onsubmit: submit },
      field(t("pair_code"), code, t("pair_how")),
      field(t("doll_name"), name, t("pair_name_hint")),
      field(t("persona"), persona), wrong,
      h("button.main", {}, t("pair_submit"))));
}
