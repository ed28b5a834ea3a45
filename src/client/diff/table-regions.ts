import { align, inOrder, Kinds } from './align.ts'

/**
 * A stretch of both tables. `same`: equal batches. `rows`: two batches of as many rows that belong together. `open`: batches that have to be compared row by row, any
 * number on each side.
 */
export interface Region {
  readonly kind: 'same' | 'rows' | 'open'
  /** Batches `a[0]` to before `a[1]` of the old table, `b[0]` to before `b[1]` of the new one. */
  readonly a: readonly [number, number]
  readonly b: readonly [number, number]
}

export interface TableBatches {
  readonly batches: readonly { readonly rows: number }[]
  readonly tokens: readonly (readonly string[])[]
}

// A batch belongs to the one it shares the most with. A column of few values has the same bytes in many batches: half of the most is not yet a sign.
const likely = 0.5

/** Which batches of two tables belong together, told by the digests of their bytes alone. */
export function alignBatches(before: TableBatches, after: TableBatches): Region[] {
  const kinds = new Kinds<string>()
  const [a, b] = [before, after].map(({ tokens }) => Int32Array.from(tokens, (one) => kinds.of(one.join('|'))))
  const regions: Region[] = []
  let [atA, atB] = [0, 0]
  const same = [...align(a, b, kinds.count), { a: a.length, b: b.length, count: 0 }]
  for (const run of same) {
    if (run.a > atA || run.b > atB) regions.push(...alignGap(before, after, [atA, run.a], [atB, run.b]))
    if (run.count > 0) regions.push({ kind: 'same', a: [run.a, run.a + run.count], b: [run.b, run.b + run.count] })
    atA = run.a + run.count
    atB = run.b + run.count
  }
  return joinOpen(regions)
}

/** What has to be looked at: two batches of as many rows at a time, or an open stretch as a whole. `batchesTell`: equal batches hold equal rows. */
export function* unitsOf(regions: readonly Region[], batchesTell: boolean): Generator<Region> {
  for (const region of regions) {
    if (region.kind === 'open') yield region
    if (region.kind === 'open' || (region.kind === 'same' && batchesTell)) continue
    const { a, b } = region
    for (let index = 0; a[0] + index < a[1]; index++)
      yield { kind: 'rows', a: [a[0] + index, a[0] + index + 1], b: [b[0] + index, b[0] + index + 1] }
  }
}

/** A row may have moved over the border between two stretches that are compared row by row. */
function joinOpen(regions: readonly Region[]): Region[] {
  const joined: Region[] = []
  for (const region of regions) {
    const last = joined.at(-1)
    if (region.kind === 'open' && last?.kind === 'open')
      joined[joined.length - 1] = { kind: 'open', a: [last.a[0], region.a[1]], b: [last.b[0], region.b[1]] }
    else joined.push(region)
  }
  return joined
}

/** No two batches here are equal. Those that share columns belong together; of the others, those at the same place with as many rows. */
function alignGap(
  before: TableBatches,
  after: TableBatches,
  a: readonly [number, number],
  b: readonly [number, number],
): Region[] {
  const regions: Region[] = []
  let [atA, atB] = [a[0], b[0]]
  const pairs = [...relatives(before, after, a, b), [a[1], b[1]] as const]
  for (const [index, [one, two]] of pairs.entries()) {
    regions.push(...leftOver(before, after, [atA, one], [atB, two]))
    if (index < pairs.length - 1) regions.push(...leftOver(before, after, [one, one + 1], [two, two + 1]))
    atA = one + 1
    atB = two + 1
  }
  return regions
}

function leftOver(
  before: TableBatches,
  after: TableBatches,
  a: readonly [number, number],
  b: readonly [number, number],
): Region[] {
  const count = a[1] - a[0]
  if (count === 0 && b[1] === b[0]) return []
  const offsets = Array.from({ length: count }, (_, index) => index)
  const alike =
    count === b[1] - b[0] &&
    offsets.every((offset) => before.batches[a[0] + offset].rows === after.batches[b[0] + offset].rows)
  if (!alike) return [{ kind: 'open', a, b }]
  return offsets.map((offset) => ({
    kind: 'rows',
    a: [a[0] + offset, a[0] + offset + 1],
    b: [b[0] + offset, b[0] + offset + 1],
  }))
}

/** Batches that share bytes which no other batch here has, in the same order in both tables. */
function relatives(
  before: TableBatches,
  after: TableBatches,
  a: readonly [number, number],
  b: readonly [number, number],
): (readonly [number, number])[] {
  const owners = owned(before.tokens, a)
  const others = owned(after.tokens, b)
  const votes = new Map<number, Map<number, number>>()
  const most = { a: new Map<number, number>(), b: new Map<number, number>() }
  for (const [token, one] of owners) {
    const two = others.get(token)
    if (one === undefined || two === undefined) continue
    const of = votes.get(one) ?? new Map<number, number>()
    const count = (of.get(two) ?? 0) + 1
    votes.set(one, of.set(two, count))
    most.a.set(one, Math.max(count, most.a.get(one) ?? 0))
    most.b.set(two, Math.max(count, most.b.get(two) ?? 0))
  }
  const pairs: [number, number][] = []
  for (const [one, of] of votes) {
    for (const [two, count] of of)
      if (count > likely * Math.max(most.a.get(one) ?? 0, most.b.get(two) ?? 0)) pairs.push([one, two])
  }
  // Falling in the second number, so that of several pairs of one batch the order takes only one.
  pairs.sort((x, y) => x[0] - y[0] || y[1] - x[1])
  return inOrder(pairs)
}

/** The only batch with these bytes; `undefined` for bytes of several. */
function owned(tokens: readonly (readonly string[])[], [from, to]: readonly [number, number]) {
  const owners = new Map<string, number | undefined>()
  for (let batch = from; batch < to; batch++)
    for (const token of tokens[batch]) owners.set(token, owners.has(token) ? undefined : batch)
  return owners
}
