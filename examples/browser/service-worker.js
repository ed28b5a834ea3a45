// The network first, so that a new version of the page is seen, and a copy of it is kept; without one, what was kept.
addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  event.respondWith(
    fetch(request).then(
      (response) => {
        if (response.ok) event.waitUntil(keep(request, response.clone()))
        return response
      },
      async (error) => {
        const kept = await caches.match(request, { ignoreSearch: true, ignoreVary: true })
        if (kept) return kept
        throw error
      },
    ),
  )
})

async function keep(request, response) {
  await (await caches.open('penguins')).put(request, response)
}
