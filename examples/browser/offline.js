const page = location.href.replace(/[?#].*/, '')
const ours = /^penguins/

/**
 * Keeps all that this page is made of for visits without a network: all of it or nothing, so that what is kept fits together, also after an update that somebody left in
 * the middle. The page says `data-offline="ready"` then.
 */
export async function keepOffline() {
  if (!('serviceWorker' in navigator) || !('caches' in globalThis)) return
  document.documentElement.dataset.offline = 'keeping'
  await navigator.serviceWorker.register('service-worker.js')
  await navigator.serviceWorker.ready
  const before = (await caches.keys()).filter((name) => ours.test(name))
  try {
    const fresh = await everything()
    // One for each visit: the one of the last visit serves until this one is whole.
    const cache = await caches.open(`penguins-${Date.now()}`)
    for (const [url, response] of fresh) await cache.put(url, response)
    for (const name of before) await caches.delete(name)
  } catch (error) {
    // Without a network there is what an earlier visit has kept.
    if (!(await caches.match(page))) throw error
  }
  document.documentElement.dataset.offline = 'ready'
}

/** The page, what it has loaded, and all modules there are: much of Tidemark is loaded when it is needed first, which may be when there is no network. */
async function everything() {
  const seen = new Set()
  const found = new Map()

  async function take(url) {
    if (seen.has(url) || !url.startsWith(location.origin)) return
    seen.add(url)
    // From the network: the service worker gives nothing that was kept for it.
    const response = await fetch(url, { cache: 'reload' })
    if (!response.ok) throw new Error(`${url} has the status ${response.status}.`)
    found.set(url, response.clone())
    const paths = (await response.text()).matchAll(/(?:from|import|URL) ?\(? ?["'](\.{1,2}\/[^"']+\.m?js)["']/g)
    await Promise.all(Array.from(paths, ([, path]) => take(new URL(path, url).href)))
  }

  const { imports } = JSON.parse(document.querySelector('script[type=importmap]').textContent)
  const linked = Array.from(document.querySelectorAll('script[src], link'), ({ src, href }) => src ?? href)
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name)
  const modules = Object.keys(imports).map((name) => import.meta.resolve(name))
  await Promise.all([page, ...linked, ...loaded, ...modules].map(take))
  return found
}
