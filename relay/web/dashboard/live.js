// What happens in the relay, as it happens. The state is that of the last look; events go to
// whichever view is shown.

const KINDS = ["overview", "load", "heard", "said", "stop", "face", "turn", "failure"];
const MOST = { turns: 60, failures: 40 };

export const state = {
  dolls: [], models: [], load: null, workers: [], turns: [], failures: [], version: "", shelf: "",
};

/** @type {Set<(kind: string, data: any) => void>} */
const listeners = new Set();
let source = null;

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function start() {
  stop();
  source = new EventSource("/api/live");
  source.addEventListener("start", (event) => take("start", event));
  for (const kind of KINDS) source.addEventListener(kind, (event) => take(kind, event));
  source.addEventListener("error", () => pass("away", {}));
}

export function stop() {
  source?.close();
  source = null;
}

export const byId = (id) => state.dolls.find((doll) => doll.id === id);

function take(kind, event) {
  const data = JSON.parse(event.data);
  if (kind === "start" || kind === "overview" || kind === "load") Object.assign(state, data);
  if (kind === "turn") add("turns", data);
  if (kind === "failure") add("failures", data);
  pass(kind, data);
}

function add(list, item) {
  state[list] = [...state[list], item].slice(-MOST[list]);
}

function pass(kind, data) {
  for (const listener of [...listeners]) listener(kind, data);
}
