// Where the page starts: what is on it is connected with the doll.

import { Doll } from "./doll.js";
import { Face } from "./face/face.js";
import { Page, element } from "./page.js";
import { change, read } from "./preferences.js";
import { listenForTalk } from "./talk.js";

const preferences = read();
const page = new Page();
await page.load(preferences.language);

const face = new Face(element("face"), matchMedia("(prefers-reduced-motion: reduce)"));
const doll = new Doll(page, face, preferences);

listenForTalk(element("talk"), {
  press: () => doll.press(),
  release: () => doll.release(),
  stop: () => doll.stop(),
});

const free = element("free");
free.checked = preferences.handsFree;
free.addEventListener("change", () => {
  change({ handsFree: free.checked });
  doll.handsFree(free.checked);
});

const volume = element("volume");
volume.value = String(preferences.volume);
volume.addEventListener("input", () => {
  change({ volume: Number(volume.value) });
  doll.setVolume(Number(volume.value));
});

element("language").addEventListener("click", async () => {
  change({ language: page.nextLanguage.code });
  await page.load(page.nextLanguage.code);
  doll.show();
});

navigator.serviceWorker?.register("worker.js").catch(() => {}); // it only makes the start faster
