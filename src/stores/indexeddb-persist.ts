let asked: Promise<boolean> | undefined

/**
 * Asks the browser, once for each page, to keep what this site stores. False when it may delete it: when the disk runs short, after some days without a visit
 * (WebKit), or with the private window. Pages may ask; in workers only the answer that a page was given is known.
 */
export function askToPersist(): Promise<boolean> {
  asked ??= ask()
  return asked
}

async function ask(): Promise<boolean> {
  const { storage }: { storage?: Partial<StorageManager> } = Reflect.get(globalThis, 'navigator') ?? {}
  // Only in secure contexts.
  if (typeof storage?.persisted !== 'function') return false
  if (await storage.persisted()) return true
  return typeof storage.persist === 'function' && (await storage.persist())
}
