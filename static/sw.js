// Keeps the page for offline use. The list holds [path, integrity] of every file of one build.
const FILES = [/* filled in by cargo xtask dist */];
const CACHE = `podlab-${FILES.map(([, hash]) => hash.slice(-9, -1)).join("").slice(0, 512)}`;
const PAGE = "./";

const request = ([path, integrity]) =>
  new Request(path === "index.html" ? PAGE : path, { cache: "no-cache", integrity });

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await Promise.all(
      FILES.map(async (file) => {
        const response = await fetch(request(file));
        if (!response.ok) throw new Error(`${file[0]}: ${response.status}`);
        await cache.put(new URL(request(file).url).href, response);
      }),
    );
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("podlab-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// The page itself is asked from the network first, so that a new build is seen at the next visit; all other files
// carry their content's hash in the name and never change.
self.addEventListener("fetch", (event) => {
  const { request: asked } = event;
  if (asked.method !== "GET" || new URL(asked.url).origin !== self.location.origin) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    if (asked.mode === "navigate") {
      try {
        return await fetch(asked);
      } catch {
        return (await cache.match(PAGE)) ?? Response.error();
      }
    }
    return (await cache.match(asked)) ?? fetch(asked);
  };
  event.respondWith(answer());
});
