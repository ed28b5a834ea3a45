/** Keeps what this page has loaded, and loads later, for visits without a network. The page says `data-offline="ready"` when all of it is kept. */
export async function keepOffline() {
  if (!('serviceWorker' in navigator) || !('caches' in globalThis)) return
  // From when it is in control, it keeps what is loaded by itself: not all browsers tell the page of every module.
  const controlled = new Promise((resolve) => {
    if (navigator.serviceWorker.controller) resolve()
    else navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true })
  })
  await navigator.serviceWorker.register('service-worker.js')
  const cache = await caches.open('penguins')
  const kept = new Set()
  let waiting = 0

  async function keep(urls) {
    const fresh = urls.filter((url) => url.startsWith(location.origin) && !kept.has(url))
    for (const url of fresh) kept.add(url)
    waiting += 1
    document.documentElement.dataset.offline = 'keeping'
    try {
      await controlled
      await Promise.all(fresh.map(async (url) => (await cache.match(url)) ?? (await cache.add(url))))
    } finally {
      waiting -= 1
    }
    if (waiting === 0) document.documentElement.dataset.offline = 'ready'
  }

  const modules = await modulesFrom(import.meta.resolve('tidemark'))
  new PerformanceObserver((list) => keep(list.getEntries().map(({ name }) => name))).observe({ type: 'resource' })
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name)
  await keep([location.href.replace(/#.*/, ''), ...loaded, ...modules])
}

/** A module and all that it imports from beside it. Much of Tidemark is loaded when it is needed first, which may be when there is no network. */
async function modulesFrom(entry) {
  const found = new Set([entry])
  for (const url of found) {
    const text = await (await fetch(url)).text()
    for (const [, path] of text.matchAll(/(?:from|import) ?\(? ?["'](\.[^"']+\.js)["']/g))
      found.add(new URL(path, url).href)
  }
  return found
}
