// What the relay may still ask of its models, what it takes of its machine, and what went wrong.

import { h } from "../dom.js";
import { byId, listen, state } from "../live.js";
import { knows, moment, number, t } from "../words.js";
import { telegram } from "./telegram.js";

export function mount(root) {
  const models = h("div.cards"), load = h("dl.facts"), failures = h("ol.failures");
  root.append(h("div.title", {}, h("h2", {}, t("nav_relay"))),
    h("h3", {}, t("quota")), h("p.dim", {}, t("quota_why")), models,
    h("div.two", {},
      h("section.card", {}, h("h3", {}, t("load")), load),
      h("section.card", {}, h("h3", {}, t("failures")), failures)), telegram());

  const drawModels = () => {
    models.replaceChildren(...state.models.map(card));
    if (!state.models.length) models.replaceChildren(h("p.dim", {}, t("no_models")));
  };
  const drawLoad = () => {
    if (!state.load) return;
    const { cpu_percent: cpu, memory_mb: memory, cores, up_s: up } = state.load;
    const rows = [["cpu", t("cpu_value", { n: Math.round(cpu), cores })]];
    if (memory !== null) rows.push(["memory_use", t("mb", { n: number(Math.round(memory)) })]);
    rows.push(["up", duration(up)], ["version", state.version]);
    load.replaceChildren(...rows.flatMap(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, value)]),
      ...state.workers.flatMap((worker) => [h("dt", {}, worker.relay), h("dd", {}, loadOf(worker))]));
  };
  const drawFailures = () => {
    failures.replaceChildren(...[...state.failures].reverse().slice(0, 15).map(failure));
    if (!state.failures.length) failures.replaceChildren(h("li.dim", {}, t("no_failures")));
  };
  const draw = () => (drawModels(), drawLoad(), drawFailures());
  draw();
  return listen((kind) => {
    if (kind === "start" || kind === "overview") draw();
    if (kind === "load") drawLoad();
    if (kind === "failure") drawFailures();
  });
}

function loadOf({ dolls, cpu_percent: cpu, memory_mb: memory }) {
  return t("worker_value", {
    dolls: number(dolls), cpu: Math.round(cpu), memory: memory === null ? "–" : number(Math.round(memory)),
  });
}

function card(model) {
  const news = model.state === "free" ? "" : t(`model_${model.state}`, {
    when: model.over_until ? moment(model.over_until) : "", n: model.held_s,
  });
  return h("article.card.model", { "data-model": model.model },
    h("div.head", {}, h("h4", {}, model.model), news && h("span.badge", {}, news)),
    gauge("day", model.day), gauge("minute", model.minute), gauge("tokens", model.tokens),
    model.day.limit && h("p.dim", {}, t("forecast", { n: number(model.day.forecast) })));
}

function gauge(kind, { used, limit, forecast }) {
  if (limit === null) return null;
  const left = Math.max(0, limit - used);
  const share = limit ? (100 * left) / limit : 0;
  const bar = h("div.gauge", {
    role: "meter", "aria-label": t(`left_${kind}`), "aria-valuemin": 0, "aria-valuemax": limit,
    "aria-valuenow": left, "aria-valuetext": t("left_of", { left: number(left), limit: number(limit) }),
  });
  const fill = h("span");
  fill.style.inlineSize = `${share}%`;
  bar.append(fill);
  if (forecast > used && limit) {
    const mark = h("i");
    mark.style.insetInlineStart = `${Math.max(0, 100 * (1 - forecast / limit))}%`;
    bar.append(mark);
  }
  bar.dataset.low = String(share < 20);
  return h("div.quota", {}, h("span", {}, t(`left_${kind}`)),
    h("span.count", {}, t("left_of", { left: number(left), limit: number(limit) })), bar);
}

function failure({ at, kind, device_id: id, model }) {
  const words = knows(`failure_${kind}`) ? t(`failure_${kind}`) : t("failure_internal");
  const who = id ? byId(id)?.name : t("failure_other_model");
  return h("li", {}, h("p", {}, words),
    h("p.dim.small", {}, [moment(at), model, who].filter(Boolean).join(" · ")));
}

function duration(s) {
  const [days, hours, minutes] = [s / 86400, (s / 3600) % 24, (s / 60) % 60].map(Math.floor);
  return days ? t("days_hours", { days, hours }) : t("hours_minutes", { hours, minutes });
}
