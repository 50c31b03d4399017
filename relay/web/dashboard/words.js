// What the page says, in its language; and numbers and moments as that language has them.

const KEY = "dashboard.language";

/** @type {{language: string, languages: {code: string, name: string}[], name: string, texts: Record<string, string>}} */
let about = { language: "en", languages: [], name: "", texts: {} };

export async function load(language = kept()) {
  const answer = await fetch(`/dashboard/texts.json?lang=${encodeURIComponent(language)}`);
  about = await answer.json();
  document.documentElement.lang = about.language;
  try {
    if (language) localStorage.setItem(KEY, language);
  } catch {
    // it holds for this visit only
  }
  return about;
}

function kept() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export const language = () => about.language;
export const knows = (key) => key in about.texts;

export function t(key, values = {}) {
  const text = about.texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** @param {number} at Unix time in seconds */
export function moment(at) {
  const day = new Date(at * 1000);
  const today = day.toDateString() === new Date().toDateString();
  const form = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(about.language, form).format(day);
}

export const number = (value) => new Intl.NumberFormat(about.language).format(value);
export const seconds = (ms) => t("seconds", { n: (ms / 1000).toFixed(ms < 9950 ? 1 : 0) });
