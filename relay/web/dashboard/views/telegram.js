// The Telegram chat: a code for one more person, and who came by one.

import * as api from "../api.js";
import { h, tell } from "../dom.js";
import { sure } from "../sure.js";
import { t } from "../words.js";

/** A card that stays hidden where the relay has no chat. */
export function telegram() {
  const people = h("ul.people"), code = h("p.code", { role: "status" });
  const box = h("section.card.telegram", { hidden: true },
    h("h3", {}, t("telegram")), h("p.dim", {}, t("telegram_why")), people,
    h("div.row", {}, h("button", { type: "button", onclick: link }, t("telegram_link"))), code);

  async function link() {
    try {
      const made = await api.post("/api/telegram/codes");
      code.replaceChildren(t("telegram_code", { minutes: made.minutes }), " ",
        h("code", {}, `/start ${made.code}`));
    } catch (error) {
      tell(error.message, true);
    }
  }

  async function draw() {
    const chat = await api.get("/api/telegram");
    box.hidden = !chat.on;
    people.replaceChildren(...chat.people.map((person) => h("li.row", {}, h("span", {}, person.name),
      sure("telegram_remove", person, async () => {
        await api.remove(`/api/telegram/people/${person.id}`);
        tell(t("telegram_removed", { name: person.name }));
        await draw();
      }))));
  }

  draw().catch((error) => tell(error.message, true));
  return box;
}
