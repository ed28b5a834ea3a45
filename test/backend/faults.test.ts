import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { routes } from '../../src/protocol/routes.ts'
import type { CommitRequest, PageReply, VersionWire } from '../../src/protocol/shapes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Caller, noise } from '../conformance/backend-caller.ts'
import { copyStore, type FaultPoint, type FaultyStore, faultyStore } from './faulty-store.ts'

const big = noise(20_000)

interface Scenario {
  readonly name: string
  /** What is there before. */
  prepare(call: Caller): Promise<void>
  /** What the commit says beside its content. */
  readonly extra: Partial<CommitRequest>
  readonly content: string
  readonly before: State
  readonly after: State
}

/** Everything of an artifact that a user sees. */
interface State {
  readonly versions: readonly string[]
  readonly latest: string | null
  readonly golden: string | null
}

const scenarios: readonly Scenario[] = [
  {
    name: 'the first version',
    prepare: async () => undefined,
    extra: { aliases: ['golden'] },
    content: 'first',
    before: { versions: [], latest: null, golden: null },
    after: { versions: ['v0 1.0.0'], latest: 'v0 1.0.0', golden: 'v0 1.0.0' },
  },
  {
    name: 'a next version that takes an alias',
    prepare: async (call) => void (await call.log('flowers', { a: '0' }, { aliases: ['golden'] })),
    extra: { aliases: ['golden'] },
    content: 'next',
    before: { versions: ['v0 1.0.0'], latest: 'v0 1.0.0', golden: 'v0 1.0.0' },
    after: { versions: ['v1 2.0.0', 'v0 1.0.0'], latest: 'v1 2.0.0', golden: 'v1 2.0.0' },
  },
  {
    name: 'a version with a number that was asked for',
    prepare: async (call) => void (await call.log('flowers', { a: '0' }, { aliases: ['golden'], version: '3.0.0' })),
    extra: { version: '2.5.0' },
    content: 'asked',
    before: { versions: ['v0 3.0.0'], latest: 'v0 3.0.0', golden: 'v0 3.0.0' },
    after: { versions: ['v1 2.5.0', 'v0 3.0.0'], latest: 'v1 2.5.0', golden: 'v0 3.0.0' },
  },
  {
    name: 'equal content with a new alias',
    prepare: async (call) => {
      await call.log('flowers', { a: '0' }, { aliases: ['golden'] })
      await call.log('flowers', { a: 'same', 'b.bin': big })
    },
    extra: { aliases: ['golden'] },
    content: 'same',
    before: { versions: ['v1 2.0.0', 'v0 1.0.0'], latest: 'v1 2.0.0', golden: 'v0 1.0.0' },
    after: { versions: ['v1 2.0.0', 'v0 1.0.0'], latest: 'v1 2.0.0', golden: 'v1 2.0.0' },
  },
]

async function stateOf(call: Caller): Promise<State> {
  const reply = await call.ask('GET', routes.versions('default', 'flowers'))
  if (reply.status === 404) return { versions: [], latest: null, golden: null }
  const { items }: PageReply<VersionWire> = await reply.json()
  const label = (wire: VersionWire) => `v${wire.index} ${wire.version}`
  const select = async (alias: string) => {
    const found = await call.ask('GET', `${routes.versions('default', 'flowers')}?select=${alias}`)
    if (found.status === 404) return null
    const wire: VersionWire = await found.json()
    return label(wire)
  }
  return { versions: items.map(label), latest: await select('latest'), golden: await select('golden') }
}

/** Runs `trial` with a failure at each of its operations, until it gets by without one. It tells how many operations it made until it healed the store. */
async function sweep(
  prepare: (call: Caller) => Promise<void>,
  points: readonly FaultPoint[],
  trial: (store: FaultyStore, call: Caller, failAt: () => void) => Promise<number>,
  forever: boolean,
): Promise<void> {
  const prepared = memoryStore()
  await prepare(new Caller(createBackend({ records: prepared, blobs: prepared }).fetch))
  for (const point of points) {
    let n = 0
    let operations: number
    do {
      n++
      const inner = memoryStore()
      await copyStore(prepared, inner)
      const store = faultyStore(inner)
      const call = new Caller(createBackend({ records: store, blobs: store }).fetch)
      operations = await trial(store, call, () => store.failAt(n, point, forever))
    } while (operations >= n)
    expect(n).toBeGreaterThan(3)
  }
}

describe.each(scenarios)('a commit of $name', ({ prepare, extra, content, before, after }) => {
  const files = { a: content, 'b.bin': big }

  it('has one effect when any one operation fails, or its answer is lost, and it is sent again', async () => {
    await sweep(
      prepare,
      ['before', 'after'],
      async (store, call, failAt) => {
        const request = call.request(await call.write(files), extra)
        failAt()
        const reply = await call.ask('POST', routes.versions('default', 'flowers'), { body: request })
        expect([200, 503]).toContain(reply.status)
        const operations = store.operations
        store.heal()
        await call.commit('flowers', request)
        expect(await stateOf(call)).toEqual(after)
        expect(await call.files(await call.version('flowers'))).toMatchObject({ a: content })
        await call.commit('flowers', request)
        expect(await stateOf(call)).toEqual(after)
        return operations
      },
      false,
    )
  })

  it('shows the old state or the new one after a crash at any operation', async () => {
    await sweep(
      prepare,
      ['before', 'after'],
      async (store, call, failAt) => {
        const request = call.request(await call.write(files), extra)
        failAt()
        await call.ask('POST', routes.versions('default', 'flowers'), { body: request })
        const operations = store.operations
        store.heal()
        const fresh = createBackend({ records: store, blobs: store })
        const next = new Caller(fresh.fetch)
        const first = await stateOf(next)
        expect([before, after]).toContainEqual(first)
        // Asked for by its index the new version may come to light: then all of it does.
        await next.ask('GET', routes.version('default', 'flowers', 1))
        expect([before, after]).toContainEqual(await stateOf(next))
        const { version } = await next.log('flowers', { a: 'later' })
        const last = await stateOf(next)
        expect(last.versions.slice(1)).toEqual(
          last.versions.length === before.versions.length + 1 ? before.versions : after.versions,
        )
        expect(last.latest).toBe(`v${version.index} ${version.version}`)
        expect(new Set(last.versions).size).toBe(version.index + 1)
        return operations
      },
      true,
    )
  })
})

describe('a deletion', () => {
  const prepare = async (call: Caller) => {
    await call.log('flowers', { a: '0' })
    await call.log('flowers', { a: '1' }, { aliases: ['golden'] })
  }

  it.each([
    [
      'a version',
      routes.version('default', 'flowers', 1),
      { versions: ['v0 1.0.0'], latest: 'v0 1.0.0', golden: null },
    ],
    ['an artifact', routes.artifact('default', 'flowers'), { versions: [], latest: null, golden: null }],
  ])('of %s is whole or has not happened, whatever crashes', async (_, path, gone) => {
    const there = { versions: ['v1 2.0.0', 'v0 1.0.0'], latest: 'v1 2.0.0', golden: 'v1 2.0.0' }
    await sweep(
      prepare,
      ['before', 'after'],
      async (store, call, failAt) => {
        failAt()
        await call.ask('DELETE', path)
        const operations = store.operations
        store.heal()
        expect([there, gone]).toContainEqual(await stateOf(call))
        const again = await call.ask('DELETE', path)
        expect([200, 404]).toContain(again.status)
        expect(await stateOf(call)).toEqual(gone)
        const { version } = await call.log('flowers', { a: '2' })
        expect(version).toMatchObject({ index: 2, version: '3.0.0' })
        return operations
      },
      true,
    )
  })
})
