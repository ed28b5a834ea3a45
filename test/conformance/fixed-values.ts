import { Table } from 'apache-arrow'
import { expect } from 'vitest'
import { Artifact, arrays, connect, folder, type Store, table, text } from '../../src/index.ts'
import { sameBytes } from '../bytes.ts'
import { fileList } from '../sources/handles.ts'

/** The digests of versions of fixed values in every runtime: a change of one of these is a change of the stored form. */
export const fixedDigests: Readonly<Record<string, string>> = {
  rows: '187ec94321af6133bbe08c00d4191d7bb68c30e1b64686cb0303c5772eaae633',
  columns: '761df9853d8130a22c42df3a45198a218379b78c7f51e40b27b12607e07f2c1d',
  dict: '55125afe6793e778db1d4a8bbde793ccbc49475ffd657765984ec824d724ef9c',
  weights: '3425e2015a099964225dc40f710bb024253e29bdb58a826dbeb0812a75292b53',
  picture: 'd0f60d6d7d14bd6d02efee38e692b29a07a082c621936b0334e6e1bd7851a383',
  photos: '8249863ac81afe7643753307a2e919397a68256112c795326aaea2a35d3ab866',
  words: '586e21d6ae97290b05a44b131e906a771691c1ab080c646e00486df384052737',
  bytes: 'db4ae9f80e32eff195af6edf9a54e63aaceb7c8f773fa2c71aa4127946264539',
  edited: '483b622026844fd12a6da791b0ac82c4c49e54edf4b8b5d4e21333a4440eaa06',
}

interface FixedValue {
  readonly name: string
  readonly make: () => unknown
  /** Fails unless what was read is what was made. */
  readonly check: (read: unknown) => void
}

const size = 48
const files = { 'photos/a.txt': 'A', 'photos/deep/ü😀.txt': 'smile\n', 'photos/empty': '' }

const fixedValues: readonly FixedValue[] = [
  {
    name: 'rows',
    make: rows,
    check: (read) => expect(plainRows(read)).toEqual(rows().map((row) => ({ ...row, at: row.at.getTime() }))),
  },
  {
    name: 'columns',
    make: () => table(columns()),
    check(read) {
      const { step, loss, count } = columns()
      const expected = Array.from(step, (one, at) => ({ step: one, loss: loss[at], count: count[at] }))
      expect(plainRows(read)).toEqual(expected)
    },
  },
  { name: 'dict', make: dict, check: (read) => expect(read).toEqual(dict()) },
  {
    name: 'weights',
    make: () => arrays(weights()),
    check(read) {
      expect(read).toMatchObject(
        Object.fromEntries(Object.entries(weights()).map(([name, data]) => [name, { data, shape: [data.length] }])),
      )
    },
  },
  { name: 'picture', make: picture, check: (read) => expect(read).toMatchObject({ ...picture() }) },
  {
    name: 'photos',
    make: () => folder(fileList(files)),
    check(read) {
      if (!(read instanceof Map)) throw new TypeError('no map')
      const found = [...read].map(([path, bytes]) => [`photos/${path}`, new TextDecoder().decode(bytes)])
      expect(Object.fromEntries(found)).toEqual(files)
    },
  },
  {
    name: 'words',
    make: () => text('Ünïcödé \u{1f33c}\r\n'),
    check: (read) => expect(read).toBe('Ünïcödé \u{1f33c}\r\n'),
  },
  { name: 'bytes', make: noise, check: (read) => expect(sameBytes(read, noise())).toBe(true) },
]

/** Logs every fixed value, and then an edit of the table and of the bytes: what lies in the store then has deltas in it. */
export async function logFixedValues(store: Store): Promise<Record<string, string | undefined>> {
  const tidemark = await connect({ store, workspace: 'shared', compress: true })
  const experiment = await tidemark.createExperiment({ name: 'fixed' })
  const digests: Record<string, string | undefined> = {}
  for (const { name, make } of fixedValues) digests[name] = (await experiment.uploadArtifact(name, make())).digest
  const edited = new Artifact('edited', 'dataset', { aliases: ['golden'], metadata: { by: 'everyone' } })
  await edited.add(rows(), { logicalPath: 'rows.arrow' })
  await edited.add(noise(), { logicalPath: 'noise.bin' })
  await experiment.logArtifact(edited)
  const draft = await (await experiment.getArtifact('edited:golden')).newDraft()
  await draft.add(editedRows(), { logicalPath: 'rows.arrow', overwrite: true })
  await draft.add(noise().with(70_000, 1), { logicalPath: 'noise.bin', overwrite: true })
  digests.edited = (await experiment.logArtifact(draft)).digest
  await experiment.end()
  await tidemark.close()
  return digests
}

/** Reads what `logFixedValues` stored, here or in another runtime, and every byte of it against its digest. */
export async function checkFixedValues(store: Store): Promise<void> {
  const tidemark = await connect({ store, workspace: 'shared' })
  const digests: Record<string, string | undefined> = {}
  for (const { name, check } of fixedValues) {
    const logged = await tidemark.getArtifact(name)
    digests[name] = logged.digest
    expect(await logged.verify()).toMatchObject({ ok: true, files: 1 })
    check(await logged.get())
  }
  const edited = await tidemark.getArtifact('edited:v1')
  digests.edited = edited.digest
  expect(plainRows(await edited.get('rows.arrow'))).toEqual(
    editedRows().map((row) => ({ ...row, at: row.at.getTime() })),
  )
  expect(sameBytes(await edited.get('noise.bin'), noise().with(70_000, 1))).toBe(true)
  expect(digests).toEqual(fixedDigests)
  await tidemark.close()
}

// Integer arithmetic only: engines may differ in the last bit of a sine.
function rows() {
  return Array.from({ length: 6000 }, (_, id) => ({
    id,
    half: id / 2,
    label: id % 11 === 0 ? null : `label ${(id * 7919) % 101}`,
    ok: id % 3 === 0,
    at: new Date(1_700_000_000_000 + id * 1000),
  }))
}

function editedRows() {
  return rows().map((row) => (row.id === 3000 ? { ...row, label: 'changed' } : row))
}

function columns() {
  return {
    step: Int32Array.from({ length: 1000 }, (_, at) => at - 500),
    loss: Float32Array.from({ length: 1000 }, (_, at) => 1 / (at + 1)),
    count: BigInt64Array.from({ length: 1000 }, (_, at) => BigInt(at) ** 5n),
  }
}

function dict() {
  return {
    lr: 1e-3,
    tiny: 5e-324,
    large: 2n ** 90n,
    layers: [64, 64],
    none: null,
    special: [Number.NaN, Number.NEGATIVE_INFINITY, -0],
    when: new Date(86_400_000),
    seen: new Map([['ü', new Set([1, 'two'])]]),
    floats: Float32Array.of(0.1, 0.2),
  }
}

function weights() {
  return {
    w: Float32Array.from({ length: 5000 }, (_, at) => ((at * 31) % 997) / 997),
    b: Float64Array.of(0.1, -0, Number.NaN),
    ids: BigUint64Array.of(2n ** 64n - 1n),
    mask: Uint8Array.of(0, 1, 255),
  }
}

function picture() {
  const data = new Uint8ClampedArray(size * size * 4)
  for (let at = 0; at < data.length; at++) data[at] = at % 4 === 3 ? 255 : (at * at) >> 7
  return { width: size, height: size, data }
}

/** Bytes that do not deflate. */
export function noise(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(150_000)
  let state = 1
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

function plainRows(read: unknown): Record<string, unknown>[] {
  if (!(read instanceof Table)) throw new TypeError('not a table')
  return read.toArray().map((row) => row.toJSON())
}
