// Questions to the relay. What it refuses is an error whose message a person can read.

import { knows, t } from "./words.js";

let token = "";
let onSignedOut = () => {};

export class Refused extends Error {
  constructor(status, problem, values) {
    super(knows(`problem_${problem}`) ? t(`problem_${problem}`, values) : t("problem_other"));
    this.status = status;
    this.problem = problem;
    this.values = values;
  }
}

export const keep = (csrf) => (token = csrf ?? "");
export const whenSignedOut = (listener) => (onSignedOut = listener);

async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { "content-type": "application/json", "x-csrf-token": token },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, "away", {});
  }
  if (answer.ok) return answer;
  const { problem = "other", values = {} } = (await answer.json().catch(() => ({}))).detail ?? {};
  if (answer.status === 401 && problem === "not_signed_in") onSignedOut();
  throw new Refused(answer.status, problem, values);
}

async function json(method, path, body) {
  const answer = await ask(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

export const get = (path) => json("GET", path);
export const post = (path, body = {}) => json("POST", path, body);
export const put = (path, body) => json("PUT", path, body);
export const patch = (path, body) => json("PATCH", path, body);
export const remove = (path) => json("DELETE", path);
export const sound = async (path, body) => (await ask("POST", path, body)).blob();

/** The path of one doll. */
export const doll = (id, rest = "") => `/api/devices/${encodeURIComponent(id)}${rest}`;
