import * as arrow from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { decodeTable, encodeTable, makeRows, valuesOf } from './table-support.ts'

const damaged = { name: 'CorruptionError', code: 'table-damaged', message: expect.stringContaining('train.arrow') }

const nested = Array.from({ length: 60 }, (_, index) => ({
  list: index % 5 ? [index, null] : null,
  object: { a: `a${index}`, b: [[index % 2 === 0]] },
  raw: new Uint8Array(index),
  big: BigInt(index),
}))

async function samples(): Promise<Uint8Array[]> {
  const coded = new arrow.Table({
    d: arrow.vectorFromArray(['a', 'b', 'a', null], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())),
    v: arrow.vectorFromArray(['a long text in a view', 'short', null, ''], new arrow.Utf8View()),
  })
  const tables: unknown[] = [makeRows(30), nested, coded, []]
  return Promise.all(tables.map(async (table) => (await encodeTable(table)).bytes))
}

/** An error of ours, or a table whose every value can be read. */
async function survives(bytes: Uint8Array): Promise<void> {
  let table: arrow.Table
  try {
    table = await decodeTable(bytes)
  } catch (error) {
    expect(error).toHaveProperty(
      'code',
      expect.stringMatching(/^(table-damaged|arrow-compressed|arrow-type-unsupported)$/),
    )
    return
  }
  try {
    if (table.numRows < 10_000) valuesOf(table)
  } catch (error) {
    // A time so far away is good Arrow; apache-arrow has no number for it.
    expect(String(error)).toMatch(/not safe to convert to a number/)
  }
}

describe('a damaged table', () => {
  it('cut off anywhere is an error', async () => {
    for (const bytes of await samples()) {
      for (let end = 0; end < bytes.byteLength; end += end < 200 ? 1 : 7) {
        await expect(decodeTable(bytes.subarray(0, end))).rejects.toMatchObject(damaged)
      }
    }
  })

  it('with bytes after its end is an error', async () => {
    const [bytes = new Uint8Array(0)] = await samples()
    const more = new Uint8Array(bytes.byteLength + 8)
    more.set(bytes)
    await expect(decodeTable(more)).rejects.toMatchObject(damaged)
  })

  it('with any bit flipped is an error or a table, never a crash, a hang or a flood', async () => {
    for (const bytes of await samples()) {
      for (let at = 0; at < bytes.byteLength; at += 1) {
        for (const bit of [0x01, 0x80]) {
          const copy = bytes.slice()
          copy[at] = (copy[at] ?? 0) ^ bit
          await survives(copy)
        }
      }
    }
  })

  it('with random bytes overwritten is an error or a table', async () => {
    let state = 42
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (const bytes of await samples()) {
      for (let round = 0; round < 1500; round += 1) {
        const copy = bytes.slice()
        for (let edits = 1 + random(8); edits > 0; edits -= 1)
          copy[random(copy.byteLength)] = [0, 0xff, 0x7f, random(256)][random(4)] ?? 0
        await survives(copy)
      }
    }
  })

  it('that is something else altogether is an error', async () => {
    for (const text of ['', 'ARROW1\0\0', '{"a": 1}', '\xff\xff\xff\xff\0\0\0\0', '\xff\xff\xff\xff\xff\xff\xff\x7f']) {
      await expect(decodeTable(Uint8Array.from(text, (unit) => unit.charCodeAt(0)))).rejects.toMatchObject(damaged)
    }
  })
})
