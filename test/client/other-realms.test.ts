import { runInNewContext, runInThisContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { arrays, image, memoryStore, type Tidemark, table } from '../../src/index.ts'
import { open } from './world.ts'

let tidemark: Tidemark

beforeEach(async () => {
  tidemark = await open({ store: memoryStore() })
})

afterEach(async () => {
  await tidemark.close()
})

const asIs = (value: unknown) => value

// The same text, run here and where all classes are others: as in a frame, or in the sandbox of a test runner.
const values: readonly (readonly [name: string, code: string, wrap: (value: unknown) => unknown])[] = [
  ['date', 'new Date(5)', asIs],
  ['map', 'new Map([[{ a: 1 }, new Set([1, new Date(7)])]])', asIs],
  ['set', 'new Set([new Map()])', asIs],
  ['bytes in a dict', '({ bytes: new Uint8Array([1, 2, 3]), all: new Uint8Array([9, 8]).buffer })', asIs],
  [
    'view in a dict',
    '({ view: new DataView(new Uint8Array([1, 2, 3]).buffer, 1), deep: [{ at: new Date(3) }] })',
    asIs,
  ],
  [
    'numbers in a dict',
    '({ f: new Float32Array([0.5]), big: new BigInt64Array([-1n]), c: new Uint8ClampedArray([7]) })',
    asIs,
  ],
  ['typed array', 'new Float32Array([1, 2])', asIs],
  ['typed array of bigints', 'new BigInt64Array([5n, -5n])', asIs],
  ['tensor', '({ data: new BigUint64Array([5n, 6n]), shape: [2, 1], dtype: "uint64" })', asIs],
  ['tensor to be cast', '({ data: new Float32Array([1, 0.5]), shape: [2], dtype: "float16" })', asIs],
  ['arrays', '({ a: new BigInt64Array([5n]), b: [[1, 2]], c: [new Float64Array([1]), [2]] })', arrays],
  ['pixels', '({ width: 2, height: 1, data: new Uint8ClampedArray([1, 2, 3, 4, 5, 6, 7, 8]) })', asIs],
  ['tensor of pixels', '({ data: new Uint8Array(12), shape: [2, 2, 3], dtype: "uint8" })', image],
  [
    'rows',
    '[{ a: 1, at: new Date(3), v: new Float32Array([1]), b: new Uint8Array([1, 2]) }, { a: 2, at: null }]',
    asIs,
  ],
  ['nested rows', '[{ a: [new Date(3)], s: { t: new Date(4), b: new Uint8Array([1]) } }]', table],
  [
    'columns',
    '({ i: new Int32Array([1, 2]), f: new Float64Array([3, 4]), d: [new Date(1), new Date(2)], b: [new Uint8Array([1]), null] })',
    table,
  ],
]

describe('values of another realm', () => {
  it.each(values)('are stored as those of this one: %s', async (_name, code, wrap) => {
    const experiment = await tidemark.createExperiment()
    const here = await experiment.uploadArtifact('value', wrap(runInThisContext(code)))
    const there = await experiment.uploadArtifact('value', wrap(runInNewContext(code)))
    expect(there.index).toBe(here.index)
    expect((await there.getAsset()).type).toBe((await here.getAsset()).type)
    await expect(there.get()).resolves.toBeDefined()
  })

  it('but not those of a class of its own', async () => {
    const experiment = await tidemark.createExperiment()
    for (const code of ['({ a: new (class extends Map {})() })', '({ a: new (class extends Date {})() })'])
      await expect(experiment.uploadArtifact('value', runInNewContext(code))).rejects.toMatchObject({
        code: 'unsupported-value',
        fields: { path: 'value.a' },
      })
  })
})
