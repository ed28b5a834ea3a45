// Which browsers are here. Plain JavaScript: the install step, the matrix and the tests all ask.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const carried = fileURLToPath(new URL('node_modules/carried/', import.meta.url))

const wanted = [
  { name: 'Chromium', packages: ['chromium'], find: findChromium },
  { name: 'Firefox', packages: ['firefox-esr'], find: findFirefox },
  // Its own small browser under a display of its own: WebKit has no other way to run without a screen.
  { name: 'WebKit', packages: ['webkit2gtk-driver', 'xvfb'], find: findWebKit },
]

/** @type {import('./installed.d.mts').findBrowsers} */
export function findBrowsers() {
  return wanted.map(({ name, packages, find }) => {
    const found = find()
    if (found === undefined)
      return { name, packages, missing: `it is not on this machine (Debian's ${packages.join(' and ')})` }
    try {
      return { name, packages, ...found, version: found.version ?? versionOf(found) }
    } catch (error) {
      return { name, packages, missing: `${found.program} does not run: ${error.message}` }
    }
  })
}

/** `TIDEMARK_CHROMIUM`, one on the path, one where Chrome and Edge install themselves, or the one that npm carries. */
function findChromium() {
  const named = process.env.TIDEMARK_CHROMIUM
  if (named) return { program: named }
  const program =
    onPath(
      'chromium',
      'chromium-browser',
      'google-chrome',
      'google-chrome-stable',
      'microsoft-edge',
      'chrome.exe',
      'msedge.exe',
    ) ??
    [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
    ].find(existsSync)
  if (program) return { program }
  const alone = join(carried, 'chromium')
  return existsSync(alone) ? { program: alone, env: { LD_LIBRARY_PATH: join(carried, 'libraries') } } : undefined
}

function findFirefox() {
  const program =
    onPath('firefox', 'firefox-esr', 'firefox.exe') ??
    ['/Applications/Firefox.app/Contents/MacOS/firefox', 'C:\\Program Files\\Mozilla Firefox\\firefox.exe'].find(
      existsSync,
    )
  return program ? { program } : undefined
}

function findWebKit() {
  const [display, driver] = [onPath('Xvfb'), onPath('WebKitWebDriver')]
  const program = ['/usr/lib', '/usr/libexec', '/usr/lib64']
    .flatMap((folder) => [
      folder,
      ...(existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => name.endsWith('-linux-gnu'))
            .map((name) => join(folder, name))
        : []),
    ])
    .flatMap((folder) => ['webkit2gtk-4.1', 'webkit2gtk-4.0'].map((name) => join(folder, name, 'MiniBrowser')))
    .find(existsSync)
  // It tells its version in a window only.
  return program && display && driver ? { program, display, driver, version: 'WebKitGTK' } : undefined
}

function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync)
}

function versionOf({ program, env }) {
  // Chrome for Windows opens a window instead of telling.
  if (process.platform === 'win32') return ''
  const text = execFileSync(program, ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return text.match(/\d[\d.]*/)?.[0] ?? text.trim()
}
