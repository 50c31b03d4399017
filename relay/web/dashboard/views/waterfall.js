// Where the time of a turn went, from the end of the speech on.

import { h } from "../dom.js";
import { moment, seconds, t } from "../words.js";

/** Each phase ends with one of these moments; the first that happened counts. */
const PHASES = [
  ["ending", "endpoint"],
  ["hearing", "transcript"],
  ["waiting", "granted"],
  ["thinking", "first_token"],
  ["wording", "first_clause"],
  ["voicing", "first_audio"],
];

/** @param {Record<string, number>} moments ms since the end of the speech */
export function phases(moments) {
  const found = [];
  let from = 0;
  for (const [name, moment_] of PHASES) {
    const to = moments[moment_];
    if (to === undefined || to <= from) continue;
    found.push({ name, from, to });
    from = to;
  }
  return found;
}

export function legend() {
  return h("ul.legend", {}, ...PHASES.map(([name]) =>
    h("li", {}, h(`span.swatch.phase-${name}`), t(`phase_${name}`))));
}

/** One turn as an entry of a list. */
export function waterfall(turn) {
  const found = phases(turn.timeline_ms);
  const answered = turn.timeline_ms.first_audio;
  const total = Math.max(2000, found.at(-1)?.to ?? 0);
  const bar = h("div.fall", { "aria-hidden": "true" }, ...found.map(({ name, from, to }) => {
    const part = h(`span.phase-${name}`);
    part.style.insetInlineStart = `${(100 * from) / total}%`;
    part.style.inlineSize = `${(100 * (to - from)) / total}%`;
    return part;
  }));
  const head = answered === undefined
    ? t(`outcome_${turn.outcome}`)
    : t("answered_in", { time: seconds(answered) });
  const list = found.map(({ name, from, to }) => `${t(`phase_${name}`)} ${seconds(to - from)}`);
  return h("li", {},
    h("div.head", {}, h("strong", {}, head),
      h("span.dim", {}, [moment(turn.at), turn.model].filter(Boolean).join(" · "))),
    bar, h("span.unseen", {}, list.join(", ")));
}
