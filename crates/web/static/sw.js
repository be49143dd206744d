// Keeps the app's own files, so that the app opens without a network. A cache holds one build, whole: a page and all
// that it loads come from the same. What is in books never comes here.

const BUILD = "build-__TIDEBOOK_BUILD__";
const ADDRESSES = __TIDEBOOK_PRECACHE__;

// The server's own addresses, and files: they end in a name with a dot. Every other address is a screen of the app's.
const NO_SCREEN = /^\/(api|ws|health|ready|metrics)(\/|$)|\.[^/]*$/;

// A new worker waits until no page of the old build is left, or until a person asks for it.
addEventListener("install", (event) => event.waitUntil(keepAll()));
addEventListener("activate", (event) => event.waitUntil(forgetOtherBuilds()));
addEventListener("message", (event) => {
  if (event.data?.type === "take-over") skipWaiting();
});
addEventListener("fetch", (event) => {
  const address = keptAddress(event.request);
  if (address) event.respondWith(answer(address, event.request));
});

// Where one file fails, so does the install, and the worker before stays. The page comes last: where it is, all is.
async function keepAll() {
  const page = await fetch(fresh("/"));
  const named = (await page.clone().text()).match(/\/assets\/[\w.-]+/g);
  // The server may have got another build since it sent this script.
  if (!page.ok || !named?.every((name) => ADDRESSES.includes(name))) throw new Error("the page is of another build");
  const cache = await caches.open(BUILD);
  await cache.addAll(ADDRESSES.filter((address) => address !== "/").map(fresh));
  await cache.put("/", page);
}

// A name under /assets/ holds its content, so whatever copy the browser has will do. An answer from somewhere else, as
// a sign-in page before the server would send, is not the file.
function fresh(address) {
  return new Request(address, { cache: address.startsWith("/assets/") ? "default" : "reload", redirect: "error" });
}

async function forgetOtherBuilds() {
  // A newer worker fills its cache right now, and will forget the others itself.
  if (registration.installing || registration.waiting) return;
  const others = (await caches.keys()).filter((name) => name !== BUILD);
  await Promise.all(others.map((name) => caches.delete(name)));
}

// The address under which the answer is kept; none for what goes to the server.
function keptAddress(request) {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return undefined;
  if (request.mode === "navigate" && !NO_SCREEN.test(pathname)) return "/";
  return ADDRESSES.includes(pathname) ? pathname : undefined;
}

// The browser may have cleared the cache to make room.
async function answer(address, request) {
  const kept = await caches.match(address, { cacheName: BUILD });
  return kept ?? fetch(request);
}
