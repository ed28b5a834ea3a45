import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { restPrefix, routes } from '../../src/protocol/routes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { Caller, noise } from '../conformance/backend-caller.ts'

async function filled(): Promise<{ store: Store; call: Caller; key: string }> {
  const store = memoryStore()
  const call = new Caller(createBackend({ records: store, blobs: store }).fetch)
  const { experimentKey: key } = await call.rest<{ experimentKey: string }>('POST', '/write/experiment/create', {
    workspaceName: 'default',
  })
  const { version } = await call.log(
    'flowers',
    { a: 'zero' },
    { aliases: ['golden'], version: '1.2.3', experimentKey: key },
  )
  await call.log('flowers', { a: 'one', 'b.bin': noise(20_000) })
  await call.rest('POST', '/write/artifacts/version/labels', {
    artifactVersionId: version.versionId,
    versionTags: ['t'],
  })
  return { store, call, key }
}

const versions = routes.versions('default', 'flowers')

/** Each record, and a request that reads it. */
const readers: readonly [name: string, key: (experiment: string) => string, path: (experiment: string) => string][] = [
  ['head', () => 'artifacts/default/flowers/head', () => `${versions}?select=golden`],
  ['version', () => 'artifacts/default/flowers/v/0000000000', () => `${versions}?select=golden`],
  ['claim', () => 'artifacts/default/flowers/s/1.2.3', () => `${versions}?select=1.2.3`],
  ['labels', () => 'artifacts/default/flowers/t/0000000000', () => `${versions}?select=v0`],
  ['experiment', (key) => `experiments/${key}`, (key) => `${restPrefix}/experiment/metadata?experimentKey=${key}`],
]

describe('damage', () => {
  it.each(readers)('to any byte of a %s record is found and named', async (_, keyOf, pathOf) => {
    const { store, call, key } = await filled()
    const [recordKey, path] = [keyOf(key), pathOf(key)]
    const { bytes } = (await store.get(recordKey)) ?? { bytes: new Uint8Array(0) }
    expect(bytes.length).toBeGreaterThan(40)
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice()
      damaged[at] ^= 1 << (at % 8)
      await store.put(recordKey, damaged)
      expect(await call.failure('GET', path), `byte ${at}`).toMatchObject({ status: 500, code: 'record-damaged' })
    }
    for (const length of [0, 1, 20, bytes.length - 1]) {
      await store.put(recordKey, bytes.slice(0, length))
      expect(await call.failure('GET', path), `${length} bytes`).toMatchObject({ status: 500, code: 'record-damaged' })
    }
  })

  it('also shows when one record lies in the place of another, or is gone', async () => {
    const { store, call } = await filled()
    await call.log('trees', { a: 'tree' })
    const copy = async (from: string, to: string) => {
      const held = await store.get(from)
      const before = await store.get(to)
      if (held) await store.put(to, held.bytes)
      return async () => void (before && (await store.put(to, before.bytes)))
    }
    for (const [from, to, path] of [
      ['artifacts/default/flowers/v/0000000001', 'artifacts/default/flowers/v/0000000000', `${versions}?select=v0`],
      ['artifacts/default/trees/v/0000000000', 'artifacts/default/flowers/v/0000000000', `${versions}?select=v0`],
      ['artifacts/default/trees/head', 'artifacts/default/flowers/head', `${versions}?select=v0`],
      ['artifacts/default/flowers/head', 'artifacts/default/flowers/v/0000000000', `${versions}?select=v0`],
    ]) {
      const undo = await copy(from, to)
      expect(await call.failure('GET', path)).toMatchObject({ status: 500, code: 'record-damaged' })
      await undo()
    }
    await store.delete('artifacts/default/flowers/v/0000000000')
    expect(await call.failure('GET', `${versions}?select=v0`)).toMatchObject({ status: 500, code: 'record-missing' })
    expect((await call.version('flowers')).index).toBe(1)
  })

  it('an artifact whose head is gone is listed all the same, and one that was deleted is not', async () => {
    const { store, call } = await filled()
    await call.log('trees', { a: 'tree' })
    await call.json('DELETE', `${routes.artifacts()}/default/trees`)
    await store.delete('artifacts/default/flowers/head')
    const { items } = await call.json<{ items: { name: string; latest: number }[] }>('GET', routes.artifacts())
    expect(items).toMatchObject([{ name: 'flowers', latest: 1 }])
  })

  it('to a pack breaks the reading of an asset, and is never sent as its content', async () => {
    const { store, call } = await filled()
    const { files } = await call.rest<{ files: { assetId: string }[] }>(
      'GET',
      '/artifacts/version/files?workspace=default&artifactName=flowers',
    )
    const asset = `${restPrefix}/experiment/asset/get-asset?assetId=${files[1].assetId}`
    const { entries } = await store.list('packs/', { values: true })
    for (const { key, bytes } of entries) {
      if (!bytes) continue
      for (let at = 0; at < bytes.length; at += 997) {
        const damaged = bytes.slice()
        damaged[at] ^= 0x10
        await store.put(key, damaged)
        const reply = await call.ask('GET', asset)
        const body = await reply.arrayBuffer().then(
          (buffer) => new Uint8Array(buffer),
          () => undefined,
        )
        if (reply.status === 200 && body) expect(body).toEqual(noise(20_000))
        else expect([200, 500]).toContain(reply.status)
      }
      await store.put(key, bytes)
    }
  })
})
