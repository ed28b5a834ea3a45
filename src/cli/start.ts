import { everywhere } from '../backend/access.ts'
import type { Backend } from '../backend/backend.ts'
import { InvalidInputError } from '../index.ts'
import { serve } from '../server/node.ts'
import { usualPort } from '../server/serving.ts'
import type { Command, Context } from './command.ts'
import { openBackend } from './server-store.ts'

export const start: Command = {
  name: 'start',
  summary: 'serve a store to others, and to clients of Comet',
  operands: { usage: '', least: 0, most: 0 },
  about: [
    'Prints its address and, when the store has no key yet, the key of an owner: it is shown only then. tidemark key create makes others.',
    'Clients of Comet need COMET_URL_OVERRIDE (the address), COMET_API_KEY and COMET_WORKSPACE. Ctrl-C ends it when what is under way is done.',
  ],
  options: {
    host: { type: 'text', value: 'ADDRESS', about: 'where it listens (default: 127.0.0.1, this machine alone)' },
    port: { type: 'text', value: 'NUMBER', about: `port; 0 takes a free one (default: ${usualPort})` },
    'allow-host': {
      type: 'text',
      value: 'NAME',
      about: 'a further name, with its port, that leads here; may be repeated',
    },
    'allow-origin': {
      type: 'text',
      value: 'ORIGIN',
      about: 'web pages that may use it, such as https://lab.example; may be repeated',
    },
  },
  examples: ['tidemark start', 'tidemark start --store /data/lab --host 0.0.0.0 --allow-host lab.example:5173'],
  run: runStart,
}

async function runStart(context: Context): Promise<undefined> {
  const { values, out, signal } = context
  const port = parsePort(values.text('port'))
  const { backend, store, workspace } = await openBackend(context)
  try {
    // Loads them, so that nobody's first request waits for it.
    await backend.routes()
    const serving = await serve({
      fetch: backend.fetch,
      port,
      hostname: values.text('host') ?? '127.0.0.1',
      hosts: values.texts('allow-host'),
      origins: values.texts('allow-origin'),
    })
    const key = await firstKey(backend)
    const { url } = serving
    if (out.json) out.document({ url, store, workspace, key: key ?? null })
    else {
      out.line(`Tidemark serves ${store} at ${url}`)
      if (key !== undefined) out.line(`Key of an owner, shown only now: ${key}`)
      out.line('Ctrl-C ends it.')
    }
    await ended(signal)
    await serving.close()
  } finally {
    await backend.close()
  }
  return undefined
}

async function firstKey({ keys }: Backend): Promise<string | undefined> {
  if ((await keys.list()).some(({ revoked }) => !revoked)) return undefined
  return (await keys.create('first start', new Map([[everywhere, 'owner']]))).key
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return usualPort
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65_535) return port
  throw new InvalidInputError(`--port takes a number from 0 to 65535, not ${JSON.stringify(text)}.`, {
    code: 'invalid-option',
    fields: { option: 'port' },
  })
}
