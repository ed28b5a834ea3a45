// The network first, so that a new version of the page is seen; without one, what the page has kept (offline.js).
addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  event.respondWith(
    fetch(request).catch(async (error) => {
      // What is to be kept comes from the network, or not at all.
      const kept = request.cache !== 'reload' && (await caches.match(request, { ignoreSearch: true, ignoreVary: true }))
      if (kept) return kept
      throw error
    }),
  )
})
