import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { findBrowsers } from './installed.mjs'
import { chromiumFlags } from './start.mjs'

/** The Chromium of this machine, or why there is none. */
export const [found] = findBrowsers()

/** A browser profile of its own: what its pages store outlives the browser that wrote it. */
export interface Profile {
  open(): Promise<OpenBrowser>
  remove(): Promise<void>
}

export interface OpenBrowser {
  readonly context: BrowserContext
  close(): Promise<void>
  /** Ends all of its processes at once, as when the power fails. */
  kill(): Promise<void>
}

export async function newProfile(): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-browser-'))
  return {
    open: () => openProfile(folder),
    // A browser that was killed may still be letting go of its files.
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10 }),
  }
}

/** Started here, not by the driver: so that it can be killed. */
export async function openProfile(folder: string): Promise<OpenBrowser> {
  if (found.missing !== undefined) throw new Error(`No browser: ${found.missing}.`)
  const options = [
    ...chromiumFlags,
    '--headless',
    '--remote-debugging-port=0',
    `--user-data-dir=${folder}`,
    'about:blank',
  ]
  const child = spawn(found.program, options, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...found.env },
    // A group of its own.
    detached: process.platform !== 'win32',
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const driver = await chromium.connectOverCDP(await addressOf(child))
  const [context] = driver.contexts()
  if (!context) throw new Error('Chromium gave no context.')
  return {
    context,
    async close() {
      const session = await driver.newBrowserCDPSession()
      // The connection ends with it, perhaps before the answer.
      await Promise.allSettled([session.send('Browser.close'), gone])
    },
    async kill() {
      if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
      await gone
    },
  }
}

/** It says on its error output where it listens. Read to its end, so that it never waits for a reader. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (data) => {
      said += data
      const address = /^DevTools listening on (ws:.*)$/m.exec(said)?.[1]
      if (address) resolve(address)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`Chromium ended before it listened:\n${said}`)))
  })
}
