import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { started } from '../runtimes/started.mjs'

/** No sandbox: containers have none. The rest keeps a browser from talking to its maker during tests. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The same for Firefox, as preferences. */
export const firefoxPreferences = {
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.firstRunURL': '',
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
}

/** Of WebKit, what Safari has and its GTK port does not enable by itself. */
const webKitFeatures = ['StorageAPI', 'StorageAPIEstimate', 'FileSystem', 'AccessHandle', 'FileSystemWritableStream']

export const webKitOptions = [`--features=${webKitFeatures.map((name) => `+${name}`).join(',')}`]

/** A display that nobody sees: its number, and what ends it. */
export async function openScreen(display) {
  const screen = start(display, ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const number = await new Promise((resolve, reject) => {
    screen.once('exit', () => reject(new Error('Xvfb ended before it had a display.')))
    screen.once('error', reject)
    screen.stdio[3].once('data', (data) => resolve(String(data).trim()))
  })
  return { number, close: () => screen.kill() }
}

/** What WebKit finds around it: a display, and a home of its own. */
export function webKitEnvironment(folder, number) {
  return {
    DISPLAY: `:${number}`,
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    // Its sandbox wants more rights than a container has.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    GIO_USE_VFS: 'local',
  }
}

const starters = {
  Chromium: async ({ program, env }, url, folder) =>
    start(program, [...chromiumFlags, '--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`, url], {
      env,
    }),
  async Firefox({ program }, url, folder) {
    const lines = Object.entries(firefoxPreferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    )
    await writeFile(join(folder, 'user.js'), lines.join('\n'))
    return start(program, ['--headless', '--no-remote', '--profile', folder, url])
  },
  async WebKit({ program, display }, url, folder) {
    const screen = await openScreen(display)
    const browser = start(program, [...webKitOptions, url], { env: webKitEnvironment(folder, screen.number) })
    return Object.assign(browser, { screen })
  },
}

/** Starts a browser with a profile in `folder` on one page, and gives what stops it. `ended` hears when it ends by itself. */
export async function startBrowser(browser, url, folder, ended) {
  const profile = join(folder, 'profile')
  await mkdir(profile, { recursive: true })
  const child = await starters[browser.name](browser, url, profile)
  child.once('error', ended)
  child.once('exit', (code, signal) => ended(signal ?? code))
  return started(async () => {
    child.screen?.close()
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    // Its helpers too, which are of its group.
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
    await gone
  })
}

function start(program, options, { env, stdio = 'ignore' } = {}) {
  return spawn(program, options, {
    stdio,
    env: { ...process.env, ...env },
    // A group of its own.
    detached: process.platform !== 'win32',
  })
}
