import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { UnavailableError } from '../../src/errors.ts'
import { routes } from '../../src/protocol/routes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { Caller, noise } from '../conformance/backend-caller.ts'
import { type Json, WireClient } from '../conformance/wire-client.ts'

type Verb = 'get' | 'put' | 'delete' | 'list'

/** The store, in which something happens before or after the first call of a kind. */
function interrupted(
  store: Store,
  [when, verb, part]: readonly ['before' | 'after', Verb, string],
  during: () => Promise<void>,
): Store {
  let isOver = false
  const run = async <T>(called: Verb, key: string, call: () => Promise<T>): Promise<T> => {
    const isNow = !isOver && called === verb && key.includes(part)
    if (isNow) isOver = true
    if (isNow && when === 'before') await during()
    const value = await call()
    if (isNow && when === 'after') await during()
    return value
  }
  return {
    uri: store.uri,
    get: (key, options) => run('get', key, () => store.get(key, options)),
    put: (key, bytes, options) => run('put', key, () => store.put(key, bytes, options)),
    delete: (key, options) => run('delete', key, () => store.delete(key, options)),
    list: (prefix, options) => run('list', prefix, () => store.list(prefix, options)),
  }
}

function callerOf(store: Store, clock = { ms: 0 }): Caller {
  return new Caller(createBackend({ records: store, blobs: store, now: () => Date.now() + clock.ms }).fetch)
}

const readable = async (caller: Caller, name: string) => Object.keys(await caller.files(await caller.version(name)))
const collect = (caller: Caller) => caller.ask('POST', routes.collect(), { body: { graceMs: 0 } })
const small = 'kept text '.repeat(30)
const lost = () => Promise.reject(new UnavailableError('The answer is lost.', { code: 'store-io' }))

it('a version whose base lies in a record, deleted and collected before it is there, is refused', async () => {
  const store = memoryStore()
  const outside = callerOf(store)
  const { version } = await outside.log('f', { a: small, b: 'x' })
  const inside = callerOf(
    interrupted(store, ['before', 'put', '/v/'], async () => {
      await outside.json('DELETE', routes.version('default', 'f', 0))
      expect((await collect(outside)).status).toBe(200)
    }),
  )
  const written = await inside.write({ a: small, b: 'y' }, inside.reader(version))
  const reply = await inside.ask('POST', routes.versions('default', 'f'), {
    body: inside.request(written, { baseVersion: version }),
  })
  expect(await reply.json()).toMatchObject({ tidemark: { code: 'base-gone' } })
  await outside.log('f', { a: small, b: 'y' })
  expect(await readable(callerOf(store), 'f')).toEqual(['a', 'b'])
})

it('a commit sent again because its answer was lost is not taken while its packs are being deleted', async () => {
  const store = memoryStore()
  const outside = callerOf(store)
  const body = outside.request(await outside.write({ a: noise(20_000, 1) }))
  const commit = (caller: Caller) => caller.ask('POST', routes.versions('default', 'f'), { body })
  const statuses: number[] = []
  const collector = callerOf(
    interrupted(store, ['before', 'delete', 'packs/'], async () => {
      statuses.push((await commit(callerOf(interrupted(store, ['after', 'put', '/v/'], lost)))).status)
      statuses.push((await commit(outside)).status)
    }),
  )
  expect((await collect(collector)).status).toBe(200)
  expect(statuses).toEqual([503, 503])
  // Its record was taken back by the collection: it is a new commit now, of packs that are gone.
  expect(await (await commit(outside)).json()).toMatchObject({ tidemark: { code: 'pack-missing' } })
})

it('a commit sent again is taken when all it needs is there, also when its base was deleted since', async () => {
  const store = memoryStore()
  const outside = callerOf(store)
  const { version } = await outside.log('f', { a: noise(20_000, 1), b: noise(20_000, 2) })
  const written = await outside.write({ a: noise(20_000, 1), b: noise(20_000, 3) }, outside.reader(version))
  const body = outside.request(written, { baseVersion: version })
  const commit = (caller: Caller) => caller.ask('POST', routes.versions('default', 'f'), { body })
  expect((await commit(callerOf(interrupted(store, ['after', 'put', '/v/'], lost)))).status).toBe(503)
  await outside.json('DELETE', routes.version('default', 'f', 0))
  expect((await commit(outside)).status).toBe(200)
  expect((await collect(outside)).status).toBe(200)
  expect((await commit(outside)).status).toBe(200)
  expect(await readable(callerOf(store), 'f')).toEqual(['a', 'b'])
})

it('a commit sent again is taken back when what it needs of a deleted base has gone', async () => {
  const store = memoryStore()
  const outside = callerOf(store)
  const { version } = await outside.log('f', { a: noise(20_000, 1), b: noise(20_000, 2) })
  const written = await outside.write({ a: noise(20_000, 1), b: noise(20_000, 3) }, outside.reader(version))
  const body = outside.request(written, { baseVersion: version })
  const commit = (caller: Caller) => caller.ask('POST', routes.versions('default', 'f'), { body })
  const dying = interrupted(store, ['before', 'put', '/v/'], async () => {
    await outside.json('DELETE', routes.version('default', 'f', 0))
    expect((await collect(outside)).status).toBe(200)
  })
  expect((await commit(callerOf(interrupted(dying, ['after', 'put', '/v/'], lost)))).status).toBe(503)
  expect(await (await commit(outside)).json()).toMatchObject({ tidemark: { code: 'base-gone' } })
  expect((await collect(outside)).status).toBe(200)
})

it('an asset that came by itself, whose bytes were those of a version that is deleted and collected meanwhile, is sent again', async () => {
  const store = memoryStore()
  const outside = callerOf(store)
  const bytes = noise(20_000, 1)
  const wire = (over: Store) => {
    const { fetch } = createBackend({ records: over, blobs: over })
    return new WireClient(fetch, 'http://localhost')
  }
  const { experimentKey } = await wire(store).post('/write/experiment/create', {})
  const about = { artifactType: 'data', experimentKey }
  const open = (artifactName: string) => wire(store).post('/write/artifacts/upsert', { artifactName, ...about })
  const send = async (to: WireClient, { artifactVersionId }: Json) => {
    const query = { experimentKey: String(experimentKey), artifactVersionId: String(artifactVersionId), fileName: 'a' }
    return to.uploadReply('/write/experiment/upload-asset', query, { file: { name: 'a', type: 'a/b', bytes } })
  }
  const close = ({ artifactVersionId }: Json) =>
    wire(store).post('/write/artifacts/state', { artifactVersionId, experimentKey, state: 'CLOSED' })

  const first = await open('first')
  expect((await send(wire(store), first)).status).toBe(200)
  await close(first)
  const second = await open('second')
  const overtaken = interrupted(store, ['before', 'put', 'open/'], async () => {
    await outside.json('DELETE', routes.artifact('default', 'first'))
    expect((await collect(outside)).status).toBe(200)
  })
  expect((await send(wire(overtaken), second)).status).toBe(503)
  expect((await send(wire(store), second)).status).toBe(200)
  await close(second)
  expect(await readable(callerOf(store), 'second')).toEqual(['a'])
})

it('a collection that slept while another one ran deletes nothing when it wakes', async () => {
  const store = memoryStore()
  const clock = { ms: 0 }
  const outside = callerOf(store, clock)
  const contents = { f: { a: noise(20_000, 1) }, g: { a: noise(20_000, 2) } }
  for (const [name, files] of Object.entries(contents)) {
    await outside.log(name, files)
    await outside.json('DELETE', routes.artifact('default', name))
  }
  const sleeper = callerOf(
    interrupted(store, ['after', 'delete', 'packs/'], async () => {
      clock.ms += 6 * 60_000
      expect((await collect(outside)).status).toBe(200)
      for (const [name, files] of Object.entries(contents)) await outside.log(name, files)
    }),
    clock,
  )
  expect(await (await collect(sleeper)).json()).toMatchObject({ tidemark: { code: 'collection-running' } })
  for (const name of Object.keys(contents)) expect(await readable(callerOf(store), name)).toEqual(['a'])
})

it('a list left behind by a machine whose clock was ahead does not stand in the way for longer than others', async () => {
  const store = memoryStore()
  const clock = { ms: 365 * 24 * 60 * 60_000 }
  const outside = callerOf(store)
  await outside.log('f', { a: noise(20_000, 1) })
  await outside.json('DELETE', routes.artifact('default', 'f'))
  const dying = callerOf(interrupted(store, ['before', 'delete', 'packs/'], lost), clock)
  expect((await collect(dying)).status).toBe(503)
  expect((await collect(outside)).status).toBe(200)
})
