import type { Page, Worker } from 'playwright-core'

/** A page or a worker. */
export type Place = Pick<Worker, 'evaluate'>

/** Starts a web worker in a page, with the script of that page. */
export async function newWorker(page: Page): Promise<Worker> {
  const coming = page.waitForEvent('worker')
  await page.evaluate(() => {
    const worker = new Worker('/storage-page.js', { type: 'module' })
    // Somebody has to hold on to it.
    Object.assign(globalThis, { workers: [...(Reflect.get(globalThis, 'workers') ?? []), worker] })
  })
  const worker = await coming
  await worker.evaluate(async () => {
    while (!('tidemark' in globalThis)) await new Promise((resolve) => setTimeout(resolve, 5))
  })
  return worker
}

/** The names of the files of a store. */
export function filesOf(place: Place, store = 'tidemark'): Promise<string[]> {
  return place.evaluate(async (store) => {
    const root = await navigator.storage.getDirectory()
    const names: string[] = []
    for await (const [folder, entry] of root.entries())
      if (folder === tidemark.filesFolder(store) && entry instanceof FileSystemDirectoryHandle)
        for await (const name of entry.keys()) names.push(name)
    return names
  }, store)
}
