// The service worker: keeps the files of the page, so that an installed doll starts at once and can
// say that it finds no relay. What is new on the relay wins over what is kept; nothing that is said
// ever comes by here.

const CACHE = "doll-1";

const FILES = [
  "./", "about.json", "main.js", "doll.js", "turn.js", "page.js", "talk.js", "captions.js", "preferences.js", "page.css",
  "face/face.js", "face/face.css", "face/expressions.js",
  "link/link.js", "link/backoff.js", "link/closing.js", "link/identity.js",
  "sound/microphone.js", "sound/speaker.js", "sound/microphone-worklet.js",
  "sound/speaker-worklet.js", "sound/jitter.js", "sound/resampler.js", "icons/icon.svg",
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)))),
  );
});

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(fresh(event.request));
});

/** From the relay, or as it was the last time. @param {Request} request */
async function fresh(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
