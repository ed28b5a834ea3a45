import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Browser } from './installed.mjs'

/** What the same steps need of any browser: each has a protocol of its own. */
export interface Driver {
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** Runs a function in the page, and gives what it returns. */
  evaluate<R, A>(task: (value: A) => R | Promise<R>, value: A): Promise<R>
  /** Presses a key where the focus is: a name of `KeyboardEvent.key`. */
  press(key: 'Enter' | 'Tab' | 'Escape'): Promise<void>
  resize(width: number, height: number): Promise<void>
  /** A PNG of what is to be seen. */
  photograph(): Promise<Uint8Array>
  /** A folder: what the page saves appears there. */
  readonly downloads: string
  close(): Promise<void>
}

export interface DriverOptions {
  /** As a person who prefers dark pages has it. */
  readonly dark: boolean
  /** A folder for the profile. */
  readonly folder: string
}

export type FoundBrowser = Extract<Browser, { program: string }>

const openers: Readonly<
  Record<string, () => Promise<(browser: FoundBrowser, options: DriverOptions) => Promise<Driver>>>
> = {
  Chromium: async () => (await import('./driver-chromium.ts')).openChromium,
  Firefox: async () => (await import('./driver-firefox.ts')).openFirefox,
  WebKit: async () => (await import('./driver-webkit.ts')).openWebKit,
}

/** Opens a browser with a new profile. */
export async function openDriver(browser: FoundBrowser, dark: boolean): Promise<Driver> {
  const open = await openers[browser.name]?.()
  if (!open) throw new Error(`There is no driver for ${browser.name}.`)
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-browser-'))
  const driver = await open(browser, { dark, folder })
  return {
    ...driver,
    async close() {
      await driver.close()
      // It may still be letting go of its files.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** Waits until it is so in the page. Looks from here, so that it outlives a reload. */
export async function until<A>(driver: Driver, what: string, test: (value: A) => boolean, value: A): Promise<void> {
  const end = Date.now() + patienceMs
  while (!(await driver.evaluate(test, value))) {
    if (Date.now() > end) {
      const seen = await driver.evaluate(() => document.body.textContent?.slice(0, 300), 0)
      throw new Error(`It never came to be: ${what}. The page says: ${seen}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A guard against hanging, not a measure. */
const patienceMs = 60_000

/** Puts a photograph where somebody can look at it; the folder is not kept in the repository. */
export async function keepPhotograph(driver: Driver, path: string): Promise<Uint8Array> {
  const png = await driver.photograph()
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, png)
  return png
}
