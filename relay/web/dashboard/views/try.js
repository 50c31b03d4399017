// A chat with a persona that need not be saved yet, and its answers aloud.

import * as api from "../api.js";
import { h, tell } from "../dom.js";
import { play } from "../player.js";
import { t } from "../words.js";

const REMEMBERED = 10;

/** @param {() => string} text the persona as it stands in the editor */
export function tryOut(text) {
  const log = h("div.talk", { role: "log", "aria-label": t("try"), tabindex: 0 },
    h("p.dim", {}, t("try_why")));
  const line = h("input", {
    maxlength: 500, required: true, placeholder: t("try_say"), "aria-label": t("try_say"), autocomplete: "off",
  });
  const before = [];
  const submit = async (event) => {
    event.preventDefault();
    const say = line.value;
    line.value = "";
    const place = h("div.exchange", {}, h("p.heard", {}, say));
    log.append(place);
    log.scrollTop = log.scrollHeight;
    try {
      const answer = await api.post("/api/try", { text: text(), say, before: before.slice(-REMEMBERED) });
      before.push({ heard: say, said: answer.said });
      place.append(h("p.said", {}, answer.said, " ", listenButton(answer)),
        h("p.dim.small", {}, [answer.name, answer.model].filter(Boolean).join(" · ")));
    } catch (error) {
      place.append(h("p.wrong", {}, error.message));
    }
    log.scrollTop = log.scrollHeight;
  };
  return h("section.card", {}, h("h3", {}, t("try")), log,
    h("form.say", { onsubmit: submit }, line, h("button.main", {}, t("try_send"))));
}

/** @param {{said: string, language: string, voice: string}} answer */
function listenButton({ said, language, voice }) {
  const button = h("button.quiet", { type: "button" }, t("listen"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const sound = await api.sound("/api/listen", {
        text: said.slice(0, 200), language, voice,
      });
      await play(sound);
    } catch (error) {
      tell(error.message, true);
    }
    button.disabled = false;
  });
  return button;
}
