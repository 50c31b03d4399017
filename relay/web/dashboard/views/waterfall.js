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

/** A turn of the conversation, as one that was seen live; null where nobody knows how it went. */
export function past({ at, course }) {
  return course && phases(course.timeline_ms).length ? { at, ...course } : null;
}

/** The newest turns first: those that were seen since the relay started, and before them those
 * that are kept with the conversation. */
export function together(seen, kept, most) {
  const first = Math.min(...seen.map(({ at }) => at));
  const before = kept.map(past).filter((turn) => turn && turn.at < first - 2);
  return [...before, ...seen].slice(-most).reverse();
}

/** How long a turn of the past took; its phases are behind that. */
export function details(turn) {
  const found = past(turn);
  if (!found) return null;
  const show = (event) => event.target.open && event.target.scrollIntoView({ block: "nearest" });
  return h("details", { ontoggle: show }, h("summary.dim.small", {}, headline(found)),
    bars(phases(found.timeline_ms)), h("ul.legend", {}, ...phases(found.timeline_ms).map((phase) =>
      h("li", {}, h(`span.swatch.phase-${phase.name}`), words(phase)))));
}

/** One turn as an entry of a list. */
export function waterfall(turn) {
  const found = phases(turn.timeline_ms);
  return h("li", {},
    h("div.head", {}, h("strong", {}, headline(turn)),
      h("span.dim", {}, [moment(turn.at), turn.model].filter(Boolean).join(" · "))),
    bars(found), h("span.unseen", {}, found.map(words).join(", ")));
}

function headline({ timeline_ms: moments, outcome }) {
  return moments.first_audio === undefined
    ? t(`outcome_${outcome}`)
    : t("answered_in", { time: seconds(moments.first_audio) });
}

const words = ({ name, from, to }) => `${t(`phase_${name}`)} ${seconds(to - from)}`;

function bars(found) {
  const total = Math.max(2000, found.at(-1)?.to ?? 0);
  return h("div.fall", { "aria-hidden": "true" }, ...found.map(({ name, from, to }) => {
    const part = h(`span.phase-${name}`);
    part.style.insetInlineStart = `${(100 * from) / total}%`;
    part.style.inlineSize = `${(100 * (to - from)) / total}%`;
    return part;
  }));
}
