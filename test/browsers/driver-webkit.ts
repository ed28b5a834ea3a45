import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { started } from '../runtimes/started.mjs'
import type { Driver, DriverOptions, FoundBrowser } from './driver.ts'
import { openScreen, webKitEnvironment, webKitOptions } from './start.mjs'

// https://www.w3.org/TR/webdriver2/#keyboard-actions
const keys = { Enter: '\uE007', Tab: '\uE004', Escape: '\uE00C' } as const

/** Over WebDriver, on a screen that nobody sees. */
export async function openWebKit(
  { program, driver, display }: FoundBrowser,
  { dark, folder }: DriverOptions,
): Promise<Driver> {
  if (!driver || !display) throw new Error('WebKit has no driver here.')
  const screen = await openScreen(display)
  const port = await freePort()
  const child = spawn(driver, [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    detached: true,
    env: {
      ...process.env,
      ...webKitEnvironment(folder, screen.number),
      // Where GTK has no theme that is dark, it has no page that is.
      GTK_THEME: dark ? 'Adwaita:dark' : 'Adwaita',
    },
  })
  const stop = started(() => {
    screen.close()
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  })
  const base = `http://127.0.0.1:${port}/session`

  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(base + path, {
      method,
      ...(method === 'POST' && { body: JSON.stringify(body ?? {}), headers: { 'content-type': 'application/json' } }),
    })
    const { value }: { value?: unknown } = await response.json()
    if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${JSON.stringify(value)}`)
    return value
  }

  await listening(port)
  const opened = await ask('POST', '', {
    capabilities: {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: program, args: ['--automation', ...webKitOptions] },
      },
    },
  })
  const session = `/${opened instanceof Object && 'sessionId' in opened ? opened.sessionId : ''}`
  await ask('POST', `${session}/timeouts`, { script: 120_000 })
  return {
    // Its home, where nothing says where downloads go.
    downloads: folder,
    goto: async (url) => void (await ask('POST', `${session}/url`, { url })),
    reload: async () => void (await ask('POST', `${session}/refresh`)),
    evaluate: async (task, value) =>
      (await ask('POST', `${session}/execute/async`, {
        script: `const done = arguments[arguments.length - 1]; Promise.resolve((${task})(${JSON.stringify(value)})).then(done, (error) => done({ failed: String(error) }))`,
        args: [],
      })) as ReturnType<typeof task>,
    async press(key) {
      const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value: keys[key] }))
      await ask('POST', `${session}/actions`, { actions: [{ type: 'key', id: 'keyboard', actions }] })
    },
    resize: async (width, height) => void (await ask('POST', `${session}/window/rect`, { x: 0, y: 0, width, height })),
    async photograph() {
      return Buffer.from(String(await ask('GET', `${session}/screenshot`)), 'base64')
    },
    async close() {
      await ask('DELETE', session).finally(stop)
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await fetch(`http://127.0.0.1:${port}/status`)
      return
    } catch (error) {
      if (attempt > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
