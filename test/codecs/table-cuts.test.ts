import { tableFromIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/codecs/codec.ts'
import { byArrow, encodeTable, makeRows, valuesOf } from './table-support.ts'

/** Pieces of `now` that are not among those of `before`. */
function fresh(before: readonly Uint8Array[], now: readonly Uint8Array[]): Uint8Array[] {
  const known = new Set(before.map(fingerprint))
  return now.filter((piece) => !known.has(fingerprint(piece)))
}

function fingerprint(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}

const rows = makeRows(100_000)

async function edited(change: (rows: Record<string, unknown>[]) => void, base = rows) {
  const before = await encodeTable(base)
  const copy = base.map((row) => ({ ...row }))
  change(copy)
  const after = await encodeTable(copy, before.info ? { previous: before.info } : {})
  expect(byArrow(after.bytes).numRows).toBe(copy.length)
  const changed = fresh(before.pieces, after.pieces)
  return {
    before,
    after,
    changed,
    share: changed.reduce((sum, piece) => sum + piece.byteLength, 0) / after.bytes.byteLength,
  }
}

describe('an edited table', () => {
  it('changes one piece when one number changes', async () => {
    const { changed } = await edited((copy) => {
      Object.assign(copy[50_000] ?? {}, { score: -1 })
    })
    expect(changed).toHaveLength(1)
  })

  it('changes one column and its message when one text changes its length', async () => {
    const { changed } = await edited((copy) => {
      Object.assign(copy[50_000] ?? {}, { text: 'something much longer than it was before' })
    })
    expect(changed.length).toBeLessThanOrEqual(2)
  })

  it('changes one batch when a row is inserted, or deleted, in the middle', async () => {
    const inserted = await edited((copy) => copy.splice(50_000, 0, { ...copy[0], id: -1 }))
    const deleted = await edited((copy) => copy.splice(50_000, 1))
    for (const { share, after } of [inserted, deleted]) {
      expect(after.pieces.length).toBeGreaterThan(100)
      expect(share).toBeLessThan(0.1)
    }
  })

  it('changes the last batch when rows are appended', async () => {
    const { share } = await edited((copy) => copy.push(...makeRows(100, 7)))
    expect(share).toBeLessThan(0.2)
  })

  it('changes one column when one is rewritten, even the one that says where batches begin', async () => {
    const { before, after, share } = await edited((copy) => {
      for (const row of copy) row.id = Number(row.id) * 7 + 3
    })
    expect(before.info?.boundary).toBe('id')
    expect(after.info?.reason).toBe('rows-kept')
    expect(share).toBeLessThan(0.25)
  })

  it('changes nothing but schema and messages when a column is dropped, even that one', async () => {
    const { after, share } = await edited((copy) => {
      for (const row of copy) delete row.id
    })
    expect(after.info?.reason).toBe('rows-kept')
    expect(share).toBeLessThan(0.01)
  })

  it('finds its cuts again when rows come back after that', async () => {
    const dropped = rows.map(({ id, ...row }) => row)
    const before = await encodeTable(dropped, { previous: (await encodeTable(rows)).info ?? {} })
    dropped.splice(1000, 1)
    const after = await encodeTable(dropped, { previous: before.info ?? {} })
    expect(after.info?.reason).not.toBe('rows-kept')
    const next = await encodeTable(dropped.slice(1), { previous: after.info ?? {} })
    expect(fresh(after.pieces, next.pieces).length).toBeLessThan(10)
  })
})

describe('the column that says where batches begin', () => {
  it('is a key rather than a measurement, and stays from version to version', async () => {
    const { info } = await encodeTable(rows)
    expect(info).toMatchObject({ boundary: 'id', reason: 'most-distinct', rows: 4096 })
    const kept = await encodeTable(rows, { previous: { boundary: 'text', rows: 4096 } })
    expect(kept.info).toMatchObject({ boundary: 'text', reason: 'as-before' })
  })

  it('is chosen anew when it is gone or says nothing any more', async () => {
    const { info } = await encodeTable([...rows, ...rows], { previous: { boundary: 'nowhere', rows: 4096 } })
    expect(info).toMatchObject({ boundary: 'id', reason: 'column-gone' })
    const constant = rows.map((row) => ({ ...row, id: 1 }))
    const again = await encodeTable(constant.slice(1), { previous: { boundary: 'id', rows: 4096 } })
    expect(again.info).toMatchObject({ reason: 'no-longer-distinct' })
    expect(again.info?.boundary).not.toBe('id')
  })

  it('may have nothing to say: equal rows are cut at the greatest length', async () => {
    const { bytes } = await encodeTable({ a: new Int32Array(100_000) })
    const lengths = tableFromIPC(bytes).batches.map(({ numRows }) => numRows)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16_384)
  })

  it('is remembered only where it makes sense: nonsense from elsewhere is ignored', async () => {
    const { bytes } = await encodeTable(rows.slice(0, 100))
    const nonsense: JsonObject[] = [
      {},
      { boundary: 5, rows: -1, batches: 'x y', plain: 3 },
      { rows: 1e9, batches: '-1 0' },
      { batches: '2s', rows: 4096 },
    ]
    for (const previous of nonsense) {
      expect(valuesOf(byArrow((await encodeTable(rows.slice(0, 100), { previous })).bytes))).toEqual(
        valuesOf(byArrow(bytes)),
      )
    }
  })
})

describe('batches', () => {
  it('are shorter where cells are wide, and no piece is too large for a chunk', async () => {
    const wide = Array.from({ length: 2000 }, (_, id) => ({ id, v: new Float32Array(4000).fill(id) }))
    const { pieces, info } = await encodeTable(wide)
    expect(info?.rows).toBe(64)
    expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeLessThan(8 * 1024 * 1024)
    const huge = await encodeTable([{ raw: new Uint8Array(20 * 1024 * 1024) }])
    expect(Math.max(...huge.pieces.map(({ byteLength }) => byteLength))).toBeLessThan(8 * 1024 * 1024)
    expect(byArrow(huge.bytes).getChild('raw')?.get(0)).toHaveLength(20 * 1024 * 1024)
  })

  it('of text beyond the first 16 MiB come back', async () => {
    const text = 'x'.repeat(10_000)
    const long = Array.from({ length: 6000 }, (_, id) => ({ id, text: id % 3 ? `${id}${text}` : null }))
    const { bytes } = await encodeTable(long)
    const column = byArrow(bytes).getChild('text')
    expect(long.every(({ text: expected }, row) => column?.get(row) === expected)).toBe(true)
  })
})
