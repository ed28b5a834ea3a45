/** `count` items from `a` of one list that are those from `b` of the other. */
export interface Run {
  readonly a: number
  readonly b: number
  readonly count: number
}

// Edits looked for where nothing stands out: the work grows with their square, and beyond this two stretches have little in common anyway.
const mostEdits = 256

// Each level needs an item that became unique only between two others; lists that go deeper were made to.
const deepest = 64

/**
 * What two lists have in common in the same order: equal beginnings and ends, then items that are in each list once, then, between those, the fewest
 * edits (Myers, "An O(ND) Difference Algorithm", 1986) while they are few. Linear where the lists are nearly equal.
 *
 * @param a and `b`: small whole numbers, equal for equal items
 * @param kinds one more than the largest number
 */
export function align(a: Int32Array, b: Int32Array, kinds: number): Run[] {
  const aligner = new Aligner(a, b, kinds)
  aligner.window(0, a.length, 0, b.length, 0)
  return aligner.runs
}

/** The numbers that `align` wants, the same for the same key. */
export class Kinds<Key> {
  readonly #numbers = new Map<Key, number>()

  of(key: Key): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#numbers.size)
    return this.#numbers.size - 1
  }

  get count(): number {
    return this.#numbers.size
  }
}

class Aligner {
  readonly runs: Run[] = []
  readonly #a: Int32Array
  readonly #b: Int32Array
  // Where an item stands, plus one; 0 when it was not met, -1 when more than once.
  readonly #inA: Int32Array
  readonly #inB: Int32Array

  constructor(a: Int32Array, b: Int32Array, kinds: number) {
    this.#a = a
    this.#b = b
    this.#inA = new Int32Array(kinds)
    this.#inB = new Int32Array(kinds)
  }

  window(fromA: number, toA: number, fromB: number, toB: number, depth: number): void {
    let [startA, endA, startB, endB] = [fromA, toA, fromB, toB]
    while (startA < endA && startB < endB && this.#a[startA] === this.#b[startB]) {
      startA++
      startB++
    }
    this.#add(fromA, fromB, startA - fromA)
    while (startA < endA && startB < endB && this.#a[endA - 1] === this.#b[endB - 1]) {
      endA--
      endB--
    }
    if (startA < endA && startB < endB) {
      const anchors = depth < deepest ? this.#anchors(startA, endA, startB, endB) : []
      if (anchors.length > 0) this.#between(anchors, startA, endA, startB, endB, depth)
      else
        for (const run of fewestEdits(this.#a, startA, endA, this.#b, startB, endB)) this.#add(run.a, run.b, run.count)
    }
    this.#add(endA, endB, toA - endA)
  }

  #between(
    anchors: readonly (readonly [number, number])[],
    fromA: number,
    toA: number,
    fromB: number,
    toB: number,
    depth: number,
  ): void {
    let [a, b] = [fromA, fromB]
    for (const [anchorA, anchorB] of anchors) {
      if (anchorA > a || anchorB > b) this.window(a, anchorA, b, anchorB, depth + 1)
      this.#add(anchorA, anchorB, 1)
      a = anchorA + 1
      b = anchorB + 1
    }
    this.window(a, toA, b, toB, depth + 1)
  }

  /** Items that are once in each window, as many as are in the same order. */
  #anchors(fromA: number, toA: number, fromB: number, toB: number): (readonly [number, number])[] {
    const [a, b, inA, inB] = [this.#a, this.#b, this.#inA, this.#inB]
    for (let at = fromA; at < toA; at++) inA[a[at]] = inA[a[at]] === 0 ? at + 1 : -1
    for (let at = fromB; at < toB; at++) inB[b[at]] = inB[b[at]] === 0 ? at + 1 : -1
    const pairs: [number, number][] = []
    for (let at = fromA; at < toA; at++) if (inA[a[at]] > 0 && inB[a[at]] > 0) pairs.push([at, inB[a[at]] - 1])
    for (let at = fromA; at < toA; at++) inA[a[at]] = 0
    for (let at = fromB; at < toB; at++) inB[b[at]] = 0
    return inOrder(pairs)
  }

  #add(a: number, b: number, count: number): void {
    if (count === 0) return
    const last = this.runs.at(-1)
    if (last && last.a + last.count === a && last.b + last.count === b)
      this.runs[this.runs.length - 1] = { ...last, count: last.count + count }
    else this.runs.push({ a, b, count })
  }
}

/** Of pairs that rise in their first number, the most that rise in both: the longest increasing subsequence. */
export function inOrder(pairs: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const ends: number[] = []
  const before = new Int32Array(pairs.length)
  for (const [index, [, value]] of pairs.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (pairs[ends[middle]][1] < value) low = middle + 1
      else high = middle
    }
    before[index] = low === 0 ? -1 : ends[low - 1]
    ends[low] = index
  }
  const found: (readonly [number, number])[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index]) found.push(pairs[index])
  return found.reverse()
}

/** Nothing when more than `mostEdits` are needed. */
function fewestEdits(a: Int32Array, fromA: number, toA: number, b: Int32Array, fromB: number, toB: number): Run[] {
  const [n, m] = [toA - fromA, toB - fromB]
  const most = Math.min(n + m, mostEdits)
  const middle = most + 1
  // How far each diagonal reaches; one copy for each number of edits, to walk back through.
  const reach = new Int32Array(2 * middle + 1)
  const history: Int32Array[] = []
  for (let edits = 0; edits <= most; edits++) {
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down =
        diagonal === -edits || (diagonal !== edits && reach[middle + diagonal - 1] < reach[middle + diagonal + 1])
      let x = down ? reach[middle + diagonal + 1] : reach[middle + diagonal - 1] + 1
      let y = x - diagonal
      while (x < n && y < m && x >= 0 && y >= 0 && a[fromA + x] === b[fromB + y]) {
        x++
        y++
      }
      reach[middle + diagonal] = x
      if (x >= n && y >= m) return walkBack(history, edits, diagonal, n, m, fromA, fromB)
    }
    history.push(reach.slice(middle - edits, middle + edits + 1))
  }
  return []
}

function walkBack(
  history: readonly Int32Array[],
  edits: number,
  end: number,
  n: number,
  m: number,
  fromA: number,
  fromB: number,
): Run[] {
  const runs: Run[] = []
  let [x, y, diagonal] = [n, m, end]
  for (let left = edits; left > 0; left--) {
    const before = history[left - 1]
    const at = (k: number) => (Math.abs(k) <= left - 1 ? before[k + left - 1] : Number.NEGATIVE_INFINITY)
    const down = diagonal === -left || (diagonal !== left && at(diagonal - 1) < at(diagonal + 1))
    const previous = down ? diagonal + 1 : diagonal - 1
    const [px, py] = [at(previous), at(previous) - previous]
    const startX = down ? px : px + 1
    const count = x - startX
    if (count > 0) runs.push({ a: fromA + startX, b: fromB + y - count, count })
    ;[x, y, diagonal] = [px, py, previous]
  }
  if (x > 0) runs.push({ a: fromA, b: fromB, count: x })
  return runs.reverse()
}
