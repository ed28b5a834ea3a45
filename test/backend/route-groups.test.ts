import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'

it('each route is found where it is declared, and nothing else is', async () => {
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store })
  // A method that nobody takes: the answer says which there are.
  const told = async (path: string) => {
    const reply = await backend.fetch(new Request(`http://localhost${path}`, { method: 'PATCH' }))
    return { code: (await reply.json()).tidemark.code, allow: reply.headers.get('allow') ?? '' }
  }
  const all = await backend.routes()
  expect(all.length).toBeGreaterThan(70)
  for (const { method, path } of all) {
    const { code, allow } = await told(path.replaceAll(':index', '0').replaceAll(':', ''))
    expect([code, allow.split(', ')], path).toEqual(['wrong-method', expect.arrayContaining([method])])
  }
  for (const path of [
    '/',
    '/api',
    '/api/rest/v2',
    '/api/rest/v2/experiment',
    '/api/tidemark/v1/artifactsx',
    '/api/tidemark/v1/gc/now',
  ])
    expect(await told(path), path).toMatchObject({ code: 'unknown-route' })
})

it('whoever loads all routes has loaded everything that requests load', () => {
  const folder = join(import.meta.dirname, '../../src/backend')
  const loadedBy = (file: string) =>
    Array.from(readFileSync(join(folder, file), 'utf8').matchAll(/import\('(\.{1,2}\/.+?)'\)/g), ([, path]) =>
      join(dirname(file), path),
    )
  const late = new Set(loadedBy('routes/late-modules.ts'))
  expect(late.size).toBeGreaterThan(5)
  const byAll = ['late-modules.ts', 'route-groups.ts', 'grouped-router.ts'].map((file) => join('routes', file))
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const met = all.filter((file) => file.endsWith('.ts') && !byAll.includes(file))
  expect(new Set(met.flatMap(loadedBy))).toEqual(late)
})
