// Starts the page: its words, who is here, and the view that the address names.

import * as api from "./api.js";
import { h, tell } from "./dom.js";
import * as live from "./live.js";
import { load, t } from "./words.js";
import * as dolls from "./views/dolls.js";
import * as login from "./views/login.js";
import * as memory from "./views/memory.js";
import * as personas from "./views/personas.js";
import * as relay from "./views/relay.js";
import * as talk from "./views/talk.js";
import * as voices from "./views/voices.js";

const VIEWS = { dolls, talk, memory, personas, voices, relay };
const $ = (id) => document.getElementById(id);

let about;
let signedIn = false;
let leave = () => {};

async function begin() {
  about = await load();
  api.whenSignedOut(() => signedIn && enter({ signed_in: false, has_password: true }));
  $("language").addEventListener("click", changeLanguage);
  $("logout").addEventListener("click", logout);
  addEventListener("hashchange", () => signedIn && show(true));
  live.listen((kind) => {
    if (kind === "away") $("line").textContent = t("line_away");
    if (kind === "start") $("line").textContent = "";
  });
  label();
  await enter(await api.get("/api/session"));
}

async function enter(session) {
  if (!session.signed_in && !session.has_password) {
    // Nobody has set a password: who sits at the relay's machine is its owner.
    try {
      session = await api.post("/api/login");
    } catch {
      // a browser elsewhere: the view says what to do
    }
  }
  signedIn = session.signed_in;
  api.keep(session.csrf_token);
  $("nav").hidden = !signedIn;
  $("logout").hidden = !signedIn || !session.has_password;
  if (signedIn) {
    live.start();
    show();
  } else {
    live.stop();
    leave();
    leave = login.mount($("main"), session, enter);
  }
}

function show(focus = false) {
  const name = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "dolls";
  for (const link of $("nav").children) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave();
  $("main").replaceChildren();
  document.title = `${t(`nav_${name}`)} · ${about.name}`;
  leave = VIEWS[name].mount($("main"));
  if (focus) {
    $("main").focus();
    scrollTo(0, 0);
  }
}

function label() {
  $("name").textContent = t("title", { name: about.name });
  $("skip").textContent = t("skip");
  $("logout").textContent = t("logout");
  const other = about.languages.find(({ code }) => code !== about.language);
  $("language").textContent = other.name;
  $("language").lang = other.code;
  $("nav").setAttribute("aria-label", t("nav"));
  $("nav").replaceChildren(
    ...Object.keys(VIEWS).map((name) =>
      h("a", { href: `#${name}` }, icon(name), h("span", {}, t(`nav_${name}`)))),
  );
}

const ICONS = {
  dolls: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 9c0-4 3-6 7-6s7 2 7 6",
  talk: "M4 5h16v11H9l-5 4z",
  memory: "M12 20s-8-5-8-11a4.500 4.500 0 0 1 8-2.800A4.500 4.500 0 0 1 20 9c0 6-8 11-8 11Z",
  personas: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  voices: "M4 10v4h3l5 4V6L7 10Zm12-1a4 4 0 0 1 0 6m2-9a8 8 0 0 1 0 12",
  relay: "M4 19v-6m5 6V9m5 10v-8m5 8V5",
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  drawn.append(path);
  return drawn;
}

async function changeLanguage() {
  about = await load($("language").lang);
  label();
  if (signedIn) show();
  else await enter(await api.get("/api/session"));
}

async function logout() {
  try {
    await api.post("/api/logout");
  } catch (error) {
    return tell(error.message, true);
  }
  await enter({ signed_in: false, has_password: true });
}

begin();
