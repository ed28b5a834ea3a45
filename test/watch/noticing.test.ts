import { createHash } from 'node:crypto'
import { tableFromArrays, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Encoded } from '../../src/codecs/codec.ts'
import { openDigester } from '../../src/content/digest.ts'
import { arrays, table } from '../../src/index.ts'
import { timers } from '../../src/platform/timers.ts'
import { type Hasher, openHasher, scriptHasher, wasmHasher } from '../../src/watch/hasher.ts'
import { Snapshots } from '../../src/watch/snapshots.ts'

const hashers: [string, () => Promise<Hasher>][] = [
  ['xxHash128', wasmHasher],
  ['MurmurHash3, where WebAssembly is forbidden', async () => scriptHasher()],
]

describe.each(hashers)('a look with %s', (_, hasher) => {
  const looks = new Snapshots({ openHasher: hasher })

  const differing: [string, unknown, unknown][] = [
    ['a number', [{ a: 1 }], [{ a: 2 }]],
    ['the last bit of a number', [{ a: 0.1 + 0.2 }], [{ a: 0.3 }]],
    ['NaN and null', [{ a: 1 }, { a: Number.NaN }], [{ a: 1 }, { a: null }]],
    ['0 and -0', [{ a: 0 }], [{ a: -0 }]],
    ['a text of equal length', [{ a: 'abc' }], [{ a: 'abd' }]],
    ['where one text ends and the next begins', [{ a: 'ab' }, { a: 'c' }], [{ a: 'a' }, { a: 'bc' }]],
    ['an empty text and null', [{ a: 'x' }, { a: '' }], [{ a: 'x' }, { a: null }]],
    ['the number 1 and the text 1', [{ a: 1 }], [{ a: '1' }]],
    ['the number 1 and true', [{ a: 1 }], [{ a: true }]],
    ['the number 1 and the bigint 1', [{ a: 1 }], [{ a: 1n }]],
    ['a date', [{ a: new Date(1) }], [{ a: new Date(2) }]],
    ['an invalid date', [{ a: new Date(1) }, { a: new Date(2) }], [{ a: new Date(1) }, { a: new Date(Number.NaN) }]],
    ['order of keys', [{ a: 1, b: 2 }], [{ b: 2, a: 1 }]],
    ['name of a key', [{ a: 1 }], [{ b: 1 }]],
    ['a key more, all null', [{ a: 1 }], [{ a: 1, b: null }]],
    ['order of rows', [{ a: 1 }, { a: 2 }], [{ a: 2 }, { a: 1 }]],
    ['one row more', [{ a: 1 }], [{ a: 1 }, { a: 1 }]],
    ['one row more, all null', [{ a: 1 }], [{ a: 1 }, { a: null }]],
    ['no rows', [{ a: 1 }], []],
    ['in which column a value is', [{ a: 1, b: null }], [{ a: null, b: 1 }]],
    ['a list', [{ a: [1, 2] }], [{ a: [1, 3] }]],
    ['where a list ends', [{ a: [1] }, { a: [2, 3] }], [{ a: [1, 2] }, { a: [3] }]],
    ['an object in a cell', [{ a: { b: 1 } }], [{ a: { b: 2 } }]],
    ['a vector in a cell', [{ a: new Float32Array([1, 2]) }], [{ a: new Float32Array([1, 3]) }]],
    ['bytes in a cell', [{ a: new Uint8Array([1]) }], [{ a: new Uint8Array([2]) }]],
    ['type of a typed array', { a: new Int32Array([1]) }, { a: new Uint32Array([1]) }],
    ['typed array and list', { a: new Int32Array([1]) }, { a: [1] }],
    ['a value in a typed array', { a: new Int32Array([1, 2]) }, { a: new Int32Array([1, 3]) }],
    ['an Arrow table', tableFromArrays({ a: new Int32Array([1]) }), tableFromArrays({ a: new Int32Array([2]) })],
    ['an Arrow vector', { a: vectorFromArray(['x', 'y']) }, { a: vectorFromArray(['x', 'z']) }],
    ['an array', arrays({ w: new Float32Array([1]) }), arrays({ w: new Float32Array([2]) })],
    ['the shape of an array', arrays({ w: [[1, 2]] }), arrays({ w: [[1], [2]] })],
    ['the name of an array', arrays({ w: [1] }), arrays({ v: [1] })],
    ['texts beyond ASCII', [{ a: 'é' }], [{ a: 'è' }]],
  ]
  it.each(differing)('tells %s', async (_, one, other) => {
    expect(await looks.look(one)).not.toBe(await looks.look(other))
  })

  const equal: [string, unknown, unknown][] = [
    ['missing, undefined and null', [{ a: 1 }, {}, { a: null }], [{ a: 1 }, { a: undefined }, {}]],
    ['records and a table of them', [{ a: 1 }], table([{ a: 1 }])],
    ['views of other memory', { a: new Int32Array([5, 1, 2]).subarray(1) }, { a: new Int32Array([1, 2]) }],
    ['an invalid date and null', [{ a: new Date(1) }, { a: new Date(Number.NaN) }], [{ a: new Date(1) }, { a: null }]],
  ]
  it.each(equal)('takes %s for equal, as what is stored is', async (_, one, other) => {
    expect(await looks.look(one)).toBe(await looks.look(other))
  })

  it('gives a copy the hash of what it was read from, which later edits do not reach', async () => {
    const column = fc.oneof(
      fc.array(fc.option(fc.double()), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.string()), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.boolean()), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.date()), { minLength: 40, maxLength: 40 }),
      fc.array(fc.option(fc.array(fc.integer())), { minLength: 40, maxLength: 40 }),
      fc.int32Array({ minLength: 40, maxLength: 40 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), column, { minKeys: 1 }), fc.nat(39), async (columns, row) => {
        const seen = await looks.look(table(columns))
        const taken = await looks.take(table(columns))
        expect(taken.hash).toBe(seen)
        const before = await bytesOf(taken)
        for (const values of Object.values(columns)) Reflect.set(values, row, values[39 - row])
        expect(Buffer.compare(await bytesOf(taken), before)).toBe(0)
        const again = await looks.take(table(columns))
        expect(again.hash === seen).toBe(Buffer.compare(await bytesOf(again), before) === 0)
      }),
      { numRuns: 40 },
    )
  })
})

async function bytesOf(snapshot: {
  encode(options: object): Promise<{ body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> }>
}) {
  const pieces: Uint8Array[] = []
  for await (const piece of (await snapshot.encode({})).body) pieces.push(piece.slice())
  return Buffer.concat(pieces)
}

describe('a look at a large table', () => {
  const count = 200_000
  const columns = {
    id: new Int32Array(count).map((_, row) => row),
    note: Array.from({ length: count }, (_, row) => `note ${row % 97}`),
    at: Array.from({ length: count }, (_, row) => new Date(row)),
    left: Array.from({ length: count }, (_, row) => (row % 3 === 0 ? null : row / 7)),
  }

  it('is the same in slices as without a pause', async () => {
    // A clock on which each question takes a while: every step is its own slice.
    let time = 0
    let rests = 0
    const sliced = new Snapshots({
      timers: {
        ...timers,
        now: () => (time += 5),
        breathe: async () => {
          rests += 1
        },
      },
    })
    const whole = new Snapshots({ timers: { ...timers, now: () => 0 } })
    const records = Array.from({ length: 20_000 }, (_, row) => ({
      id: row,
      note: columns.note[row],
      extra: row > 9000 ? row : undefined,
    }))
    for (const source of [columns, records]) {
      rests = 0
      expect(await sliced.look(source)).toBe(await whole.look(source))
      expect(rests).toBeGreaterThan(10)
      const [one, other] = [await sliced.take(source), await whole.take(source)]
      expect(one.hash).toBe(other.hash)
      expect([one.whole, other.whole]).toEqual([false, true])
      expect(Buffer.compare(await bytesOf(one), await bytesOf(other))).toBe(0)
    }
  })

  it('tells any one cell', async () => {
    const looks = new Snapshots()
    const before = await looks.look(columns)
    for (const row of [0, 16_383, 16_384, 65_535, 65_536, count - 1]) {
      columns.id[row] += 1
      expect(await looks.look(columns)).not.toBe(before)
      columns.id[row] -= 1
      const note = columns.note[row]
      columns.note[row] = `${note.slice(0, -1)}#`
      expect(await looks.look(columns)).not.toBe(before)
      columns.note[row] = note
      columns.at[row].setTime(-1)
      expect(await looks.look(columns)).not.toBe(before)
      columns.at[row].setTime(row)
    }
    expect(await looks.look(columns)).toBe(before)
  })

  it('is the same when the memory it uses served another table before', async () => {
    const looks = new Snapshots()
    // Texts so long that a piece of a column has several parts.
    const long = (seed: string) => Array.from({ length: 20_000 }, (_, row) => ({ note: `${seed}${row}`.repeat(60) }))
    const table = long('a')
    const fresh = await new Snapshots().take(table)
    const bytes = await bytesOf(fresh)
    for (const other of [long('bcd'), [{ note: null }], columns]) {
      await looks.look(other)
      expect(await looks.look(table)).toBe(fresh.hash)
      await looks.take(other)
      const taken = await looks.take(table)
      expect(taken.hash).toBe(fresh.hash)
      expect(Buffer.compare(await bytesOf(taken), bytes)).toBe(0)
    }
  })

  it('sees the rows there were when it began, also when some are added or taken away in between', async () => {
    const grown = { id: Array.from({ length: count }, (_, row) => row), note: [...columns.note] }
    const before = await new Snapshots().look(grown)
    let rests = 0
    const looks = new Snapshots({
      timers: {
        ...timers,
        now: () => (rests += 5),
        breathe: async () => {
          for (const values of Object.values(grown)) values.push(values[0] as never)
        },
      },
    })
    expect(await looks.look(grown)).toBe(before)
    const shrinking = new Snapshots({
      timers: {
        ...timers,
        now: () => (rests += 5),
        breathe: async () => {
          for (const values of Object.values(grown)) if (values.length > 1000) values.length -= 5000
        },
      },
    })
    await expect(shrinking.look(grown)).resolves.toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('what is remembered of a table', () => {
  const count = 40_000
  const columns: Record<string, unknown[] | Int32Array | Float32Array> = {
    id: new Int32Array(count).map((_, row) => row),
    note: Array.from({ length: count }, (_, row) => `note ${row % 97}`),
    at: Array.from({ length: count }, (_, row) => new Date(row)),
    on: Array.from({ length: count }, (_, row) => row % 5 === 0),
    left: Array.from({ length: count }, (_, row) => (row % 3 === 0 ? null : row / 7)),
    list: Array.from({ length: count }, (_, row) => [row % 7, 1]),
  }
  const set = (name: string, row: number, value: unknown) => () => void Reflect.set(columns[name] ?? [], row, value)
  const edits: [string, () => void][] = [
    ['nothing', () => undefined],
    ['a text', set('note', 20_000, 'other')],
    ['a text to null', set('note', 20_001, null)],
    ['a text beyond ASCII', set('note', 39_999, 'é')],
    ['all texts of a part to null', () => (columns.note as unknown[]).fill(null, 0, 16_384)],
    ['one of them back', set('note', 3, 'back')],
    ['a date that is set', () => void (columns.at as Date[])[17_000]?.setTime(5)],
    ['a date to an invalid one', set('at', 17_001, new Date(Number.NaN))],
    ['that to null', set('at', 17_001, null)],
    ['a date to another of its time', set('at', 16_384, new Date(16_384))],
    ['a flag', set('on', 100, false)],
    ['a flag to null', set('on', 101, undefined)],
    ['a number', set('id', 30_000, -1)],
    ['a number in a plain array', set('left', 30_000, -0)],
    ['an element of a list', () => void ((columns.list as number[][])[5] ?? []).push(9)],
    [
      'the kind of the numbers, of which the bytes stay',
      () => {
        columns.id = new Float32Array((columns.id as Int32Array).buffer)
      },
    ],
    [
      'flags to texts',
      () => {
        columns.on = Array.from({ length: count }, (_, row) => `${row % 5 === 0}`)
      },
    ],
    [
      'rows',
      () => {
        columns.id = Float32Array.from([...(columns.id as Float32Array), 1, 2])
        for (const [name, last] of Object.entries({ note: 'x', at: new Date(1), on: 'y', left: 1, list: [] }))
          (columns[name] as unknown[]).push(last, last)
      },
    ],
    [
      'a row in the middle',
      () => {
        columns.id = Float32Array.from([
          ...(columns.id.slice(0, 20_000) as Float32Array),
          7,
          ...(columns.id.slice(20_000) as Float32Array),
        ])
        for (const name of ['note', 'at', 'on', 'left', 'list']) (columns[name] as unknown[]).splice(20_000, 0, null)
      },
    ],
    [
      'most rows away',
      () => {
        columns.id = columns.id.slice(0, 10) as Float32Array
        for (const name of ['note', 'at', 'on', 'left', 'list']) (columns[name] as unknown[]).length = 10
      },
    ],
    ['a column away', () => void delete columns.at],
  ]

  it('makes every copy what a first one is, whatever was edited, and every digest that of its piece', async () => {
    const looks = new Snapshots()
    for (const [what, edit] of edits) {
      edit()
      const fresh = await new Snapshots().take(columns)
      for (const round of ['first', 'again']) {
        const seen = await looks.look(columns)
        const taken = await looks.take(columns)
        expect([taken.hash, seen], `${what}, ${round}`).toEqual([fresh.hash, fresh.hash])
        const encoded = await taken.encode({})
        const { bytes, digest, known, left } = await written(encoded)
        const whole = await bytesOf(fresh)
        if (round === 'again' && whole.length > 1e6) {
          expect(bytes.length, 'only what is behind the last state').toBeLessThan(whole.length / 2)
          expect(left).toBeGreaterThan(10)
          expect(known).toBeGreaterThan(3)
        }
        expect(Buffer.compare(bytes, whole.subarray(whole.length - bytes.length)), what).toBe(0)
        expect(digest, what).toBe(createHash('sha256').update(whole).digest('hex'))
        expect(encoded.info?.(), what).toEqual((await encodedFully(fresh)).info?.())
        expect(encoded.preview(), what).toEqual((await encodedFully(fresh)).preview())
      }
    }
  })

  it('may be let go at any time: before a copy, while it is made, and before it is encoded', async () => {
    const table = {
      id: new Int32Array(count).map((_, row) => row),
      note: Array.from({ length: count }, (_, row) => `note ${row}`),
    }
    let letGo: () => void = () => undefined
    let rests = 0
    let dueAt = 0
    const looks = new Snapshots({
      timers: {
        ...timers,
        now: () => (rests += 5),
        after: (_, task) => {
          letGo = task
          return () => undefined
        },
        breathe: async () => {
          if (--dueAt === 0) letGo()
        },
      },
    })
    for (const at of [0, 1, 3, 9, 15]) {
      table.note[at] += '!'
      table.id[at] -= 1
      await looks.look(table)
      dueAt = at
      const taken = await looks.take(table)
      if (at === 0) letGo()
      const { bytes, digest } = await written(await taken.encode({}))
      const fresh = await bytesOf(await new Snapshots().take(table))
      expect(digest).toBe(createHash('sha256').update(fresh).digest('hex'))
      expect(Buffer.compare(bytes, fresh.subarray(fresh.length - bytes.length))).toBe(0)
    }
  })

  it('hides no cell that cannot be stored, and tells the same as a first look', async () => {
    const table = { note: Array.from({ length: 40_000 }, (_, row) => `note ${row}`) as unknown[] }
    const looks = new Snapshots()
    for (let look = 0; look < 3; look++) await looks.look(table)
    for (const wrong of [7, '\ud800', Symbol('no')]) {
      table.note[20_000] = wrong
      const error = await new Snapshots().look(table).catch((one: unknown) => one)
      await expect(looks.look(table)).rejects.toThrow(error instanceof Error ? error.message : '')
    }
    table.note[20_000] = 'right'
    expect(await looks.look(table)).toBe(await new Snapshots().look(table))
  })
})

/** As a version is: what is known of the first pieces is left out. */
async function written(encoded: Encoded) {
  const digester = await openDigester()
  const head = encoded.known?.head()
  if (head) encoded.known?.skip()
  const hasher = head?.state.copy() ?? digester.create()
  const pieces: Uint8Array[] = []
  let known = 0
  for await (const piece of encoded.body) {
    encoded.known?.before(() => hasher.copy())
    hasher.update(piece)
    const last = encoded.known?.last()
    if (last !== undefined) expect(last).toBe(digester.hex(piece))
    known += last === undefined ? 0 : 1
    encoded.known?.learn(digester.hex(piece))
    pieces.push(piece.slice())
  }
  return { bytes: Buffer.concat(pieces), digest: hasher.hex(), known, left: head?.pieces.length ?? 0 }
}

async function encodedFully(snapshot: Awaited<ReturnType<Snapshots['take']>>) {
  const encoded = await snapshot.encode({})
  for await (const piece of encoded.body) expect(piece.length).toBeGreaterThan(0)
  return encoded
}

it('the fallback tells apart what differs in one bit, at every length', () => {
  const hasher = scriptHasher()
  const hash = (bytes: Uint8Array, cut = 0) => {
    hasher.begin()
    hasher.update(bytes.subarray(0, cut))
    hasher.update(bytes.subarray(cut))
    return hasher.end()
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.nat(), (bytes, bit, cut) => {
      const before = hash(bytes)
      expect(hash(bytes, cut % bytes.length)).toBe(before)
      const flipped = bytes.slice()
      flipped[bit % bytes.length] ^= 1 << (bit % 8)
      expect(hash(flipped)).not.toBe(before)
      expect(hash(bytes.subarray(1))).not.toBe(before)
    }),
  )
  // Reference: MurmurHash3_x86_128 of nothing, and its avalanche on one zero.
  expect(hash(new Uint8Array(0))).toBe('00000000000000000000000000000000')
})

it('a table that has grown large is hashed in another way, and noticed as before', async () => {
  const opened: boolean[] = []
  const looks = new Snapshots({
    openHasher: (large) => {
      opened.push(large)
      return openHasher(large)
    },
  })
  const rows = [{ a: 1, b: 'x' }]
  const small = await looks.look(rows)
  expect(await looks.look(rows)).toBe(small)
  for (let row = 0; row < 100_000; row++) rows.push({ a: row, b: `y${row % 10}` })
  const large = await looks.look(rows)
  expect(large).not.toBe(small)
  expect(await looks.look(rows)).toBe(large)
  expect((await looks.take(rows)).hash).toBe(large)
  rows[50_000].b = 'z'
  const changed = await looks.look(rows)
  expect(changed).not.toBe(large)
  rows.length = 1
  expect(await looks.look(rows)).toBe(small)
  expect(opened).toEqual([false, true])
})

it('for what is large the fastest there is is used', async () => {
  const hasher = await openHasher(true)
  hasher.begin()
  // XXH128 of nothing (xxHash specification).
  expect(hasher.end()).toBe('99aa06d3014798d86001c324468d497f')
})
