// What the flight recorder has kept of a doll: listen, and delete.

import * as api from "../api.js";
import { h, tell } from "../dom.js";
import { sure } from "../sure.js";
import { moment, number, t } from "../words.js";

const path = (id, rest = "") => api.doll(id, `/recordings${rest}`);

/** A card; it is empty and hidden where nothing was ever recorded and nothing is. */
export async function recordings(id) {
  const list = h("ol.history"), amount = h("p.dim");
  const more = h("button", { type: "button" }, t("earlier"));
  const card = h("section.card.recordings", { hidden: true }, h("h3", {}, t("recordings")), amount, list,
    h("div.row", {}, more, sure("recordings_delete", {}, async () => {
      await api.remove(path(id));
      list.replaceChildren();
      tell(t("recordings_deleted"));
      card.hidden = true;
    })));
  let before = "";
  const show = async () => {
    const page = await api.get(path(id, before && `?before=${before}`));
    list.append(...page.recordings.map((one) => entry(id, one)));
    before = page.before ?? "";
    more.hidden = !page.before;
    const on = page.until && page.until > Date.now() / 1000;
    amount.textContent = [
      t("recordings_amount", { n: number(page.amount), days: number(page.days) }),
      on ? t("recorded_until", { when: moment(page.until) }) : "",
    ].join(" ").trim();
    card.hidden = !page.amount && !on;
  };
  more.addEventListener("click", () => show().catch((error) => tell(error.message, true)));
  await show();
  return card;
}

function entry(id, one) {
  const player = (name) => {
    const sound = h("audio", {
      controls: true, preload: "none", src: path(id, `/${one.id}/${name}.wav`),
      "aria-label": `${t(`recording_${name}`)}: ${moment(one.at)}`,
    });
    sound.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
    });
    return h("div.sound", {}, h("span.dim.small", {}, t(`recording_${name}`)), sound);
  };
  const drop = async () => {
    try {
      await api.remove(path(id, `/${one.id}`));
      item.remove();
    } catch (error) {
      tell(error.message, true);
    }
  };
  const item = h("li.exchange", {},
    h("div.head", {}, h("time.dim", {}, moment(one.at)),
      h("button.quiet", {
        type: "button", onclick: drop,
        "aria-label": t("delete_one", { what: one.heard || moment(one.at) }),
      }, "✕")),
    one.heard && h("p.heard", {}, one.heard), one.question && player("question"),
    one.said && h("p.said", {}, one.said), one.answer && player("answer"));
  return item;
}
