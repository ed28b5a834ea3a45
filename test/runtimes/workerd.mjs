import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startedProcess } from './started.mjs'

/** The date whose behaviour the worker has: a newer one can change what there is in it. */
export const COMPATIBILITY_DATE = '2026-06-01'

/** Starts workerd with the modules in `folder`, without compatibility flags, on a free port of this machine. */
export async function startWorkerd(binary, folder, modules) {
  const config = join(folder, 'config.capnp')
  await writeFile(config, configOf(modules))
  const child = spawn(binary, ['serve', config, '--control-fd=3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  const stop = startedProcess(child)
  try {
    return { url: `http://127.0.0.1:${await portOf(child)}/`, pid: child.pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** workerd says on its control channel where it listens. */
async function portOf(child) {
  const failed = new Promise((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code} before it listened.`)))
  })
  // Nobody waits for it any more once there is a port.
  failed.catch(() => undefined)
  const listening = async () => {
    for await (const line of createInterface({ input: child.stdio[3] })) {
      const { event, port } = JSON.parse(line)
      if (event === 'listen') return port
    }
    throw new Error('workerd did not say where it listens.')
  }
  return Promise.race([listening(), failed])
}

function configOf(modules) {
  const embedded = modules.map((name) => `(name = "${name}", esModule = embed "${name}")`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "suites", worker = .suites)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "suites")]
);
const suites :Workerd.Worker = (
  modules = [
    ${embedded.join(',\n    ')}
  ],
  bindings = [(name = "SELF", service = "suites")],
  compatibilityDate = "${COMPATIBILITY_DATE}"
);
`
}
