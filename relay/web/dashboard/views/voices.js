// All voices that a doll can have: hear each of them, and choose.

import * as api from "../api.js";
import { h, tell } from "../dom.js";
import { listen, state } from "../live.js";
import { play } from "../player.js";
import { knows, t } from "../words.js";
import { chooseDoll } from "./choose.js";

export function mount(root) {
  const { select, update } = chooseDoll((id) => open(id));
  const line = h("blockquote"), list = h("div.cards.voices");
  root.append(h("div.title", {}, h("h2", {}, t("nav_voices")), select),
    h("p.dim", {}, t("voices_why")), line, list);
  let shown = null;

  async function open(id) {
    shown = id;
    line.hidden = true;
    if (!id) return list.replaceChildren(h("p.dim", {}, t("no_dolls")));
    try {
      const found = await api.get(api.doll(id, "/voices"));
      if (shown !== id) return;
      line.textContent = found.line;
      line.hidden = false;
      const now = current(found);
      list.replaceChildren(...sorted(found).map((voice) =>
        card(id, voice, { has: voice.id === now, usual: found.persona, changed: () => open(id) })));
    } catch (error) {
      list.replaceChildren(h("p.wrong", {}, error.message));
    }
  }

  const choose = () => {
    const id = update();
    if (id !== shown) open(id);
  };
  if (state.version) choose();
  return listen((kind) => (kind === "start" || kind === "overview") && choose());
}

/** Which one it speaks with: one that is not there any more has the usual one in its place. */
export function current({ voices, chosen, persona }) {
  const there = (wanted) => voices.some(({ id }) => id === wanted);
  return there(chosen) && chosen ? chosen : there(persona) ? persona : "";
}

/** The one it speaks with first, then the owner's own, then the others. */
export function sorted(found) {
  const now = current(found);
  const rank = ({ id, kind }) => (id === now ? 0 : kind === "own" ? 1 : 2);
  return found.voices
    // A character that has a voice of its own never speaks with the usual one.
    .filter(({ id }) => id || !found.voices.some((other) => other.id && other.id === found.persona))
    .sort((one, other) => rank(one) - rank(other));
}

/** What a voice is called: a name is for a person, not for the settings. */
export function called({ id, name, kind }) {
  if (kind === "usual") return t("voice_usual");
  return knows(`voice_${id}`) ? t(`voice_${id}`) : name;
}

function card(id, voice, { has, usual, changed }) {
  const name = called(voice);
  const heard = h("button", { type: "button", "aria-label": t("listen_to", { what: name }) }, t("listen"));
  heard.addEventListener("click", async () => {
    heard.disabled = true;
    try {
      await play(await api.sound(api.doll(id, "/voices/listen"), { voice: voice.id }));
    } catch (error) {
      tell(error.message, true);
    }
    heard.disabled = false;
  });
  const use = h("button", { type: "button", "aria-label": t("use_voice_of", { what: name }) }, t("use_voice"));
  use.addEventListener("click", async () => {
    try {
      await api.put(api.doll(id, "/voice"), {
        voice: voice.id === usual ? "" : voice.id, // it follows its character again
      });
      tell(t("voice_used"));
      changed();
    } catch (error) {
      tell(error.message, true);
    }
  });
  const about = [t(`voice_kind_${voice.kind}`), voice.speaker, name === voice.id ? "" : voice.id];
  return h("article.card.voice", { "data-voice": voice.id },
    h("div.head", {}, h("h3", {}, name), has && h("span.badge", {}, t("voice_now"))),
    h("p.dim", {}, about.filter(Boolean).join(" · ")),
    h("div.row", {}, heard, has ? null : use));
}
