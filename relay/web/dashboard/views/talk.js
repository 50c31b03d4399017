// The conversation as it goes on, and where the time of each turn went.

import * as api from "../api.js";
import { h } from "../dom.js";
import { byId, listen, state } from "../live.js";
import { moment, t } from "../words.js";
import { chooseDoll } from "./choose.js";
import { legend, together, waterfall } from "./waterfall.js";

const MOST = 12;

export function mount(root) {
  const { select, update } = chooseDoll((id) => open(id));
  const log = h("div.talk", { role: "log", "aria-label": t("nav_talk"), tabindex: 0 });
  const now = h("p.state");
  const falls = h("ol.falls");
  root.append(
    h("div.title", {}, h("h2", {}, t("nav_talk")), now, select),
    h("div.two", {}, h("section.card", {}, log),
      h("section.card", {}, h("h3", {}, t("turns")), h("p.dim", {}, t("turns_why")), legend(), falls)),
  );
  let shown = null, current = null, kept = [];

  async function open(id) {
    shown = id;
    current = null;
    kept = [];
    drawTurns();
    drawState();
    if (!id) return log.replaceChildren(h("p.dim", {}, t("no_dolls")));
    try {
      const { turns } = await api.get(api.doll(id, "/turns"));
      if (shown !== id) return;
      kept = turns;
      drawTurns();
      log.replaceChildren(...turns.map((turn) => exchange(turn.heard, turn.said, turn.at)));
      if (!turns.length) log.replaceChildren(h("p.dim.none", {}, t("no_talk")));
      log.scrollTop = log.scrollHeight;
    } catch (error) {
      log.replaceChildren(h("p.wrong", {}, error.message));
    }
  }

  function say(kind, text) {
    log.querySelector(".none")?.remove();
    if (kind === "heard" || !current) {
      current = exchange(kind === "heard" ? text : "", kind === "said" ? text : "", 0);
      log.append(current);
    } else {
      const bubble = current.querySelector(".said") ?? current.appendChild(h("p.said"));
      bubble.textContent = `${bubble.textContent} ${text}`.trim();
    }
    log.scrollTop = log.scrollHeight;
  }

  function drawState() {
    const doll = byId(shown);
    now.textContent = doll ? t(`state_${doll.state}`) : "";
    now.dataset.state = doll?.state ?? "";
  }

  function drawTurns() {
    const seen = state.turns.filter((turn) => turn.device_id === shown);
    const mine = together(seen, kept, MOST);
    falls.replaceChildren(...mine.map(waterfall));
    if (!mine.length) falls.replaceChildren(h("li.dim", {}, t("no_turns")));
  }

  const choose = () => {
    const id = update();
    if (id !== shown) open(id);
    else drawState();
  };
  if (state.version) choose();
  return listen((kind, data) => {
    if (kind === "start") {
      shown = null; // what was said while the line was away is in the memory
      choose();
    } else if (kind === "overview") choose();
    else if (data.device === shown && (kind === "heard" || kind === "said")) say(kind, data.text);
    else if (data.device === shown && kind === "stop") current = null;
    else if (kind === "turn") drawTurns();
  });
}

function exchange(heard, said, at) {
  return h("div.exchange", {},
    at ? h("time.dim", { datetime: new Date(at * 1000).toISOString() }, moment(at)) : null,
    heard && h("p.heard", {}, heard), said && h("p.said", {}, said));
}
