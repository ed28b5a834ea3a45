/** Numbers from 0 up to 1, the same for a seed every time (mulberry32, public domain, Tommy Ettinger). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const words =
  'amber basil cedar delta ember fjord grove hazel iris jade kelp linen maple north ochre pearl quartz river slate tulip umber violet willow xenon yarrow zinc'.split(
    ' ',
  )

/** A table as columns: those with types of their own as typed arrays, the others as plain arrays. */
export interface Columns {
  id: Int32Array
  time: Date[]
  delay: Float64Array
  distance: Float64Array
  carrier: string[]
  note: string[]
  cancelled: boolean[]
  [added: string]: ArrayLike<unknown>
}

const start = Date.UTC(2024, 0, 1)

/** Rows from number `first` on: id, timestamp, two numbers, a label of 20 values, a text of four words, a boolean. */
export function makeColumns(count: number, { first = 0, seed = 1 } = {}): Columns {
  const random = randomNumbers(seed)
  const word = () => words[Math.floor(random() * words.length)]
  const columns: Columns = {
    id: new Int32Array(count),
    time: new Array(count),
    delay: new Float64Array(count),
    distance: new Float64Array(count),
    carrier: new Array(count),
    note: new Array(count),
    cancelled: new Array(count),
  }
  for (let row = 0; row < count; row++) {
    columns.id[row] = first + row
    columns.time[row] = new Date(start + (first + row) * 1000 + Math.floor(random() * 1000))
    columns.delay[row] = random() * 300
    columns.distance[row] = random() * 5000
    columns.carrier[row] = `carrier-${Math.floor(random() * 20)}`
    columns.note[row] = [word(), word(), word(), word()].join(' ')
    columns.cancelled[row] = random() < 0.02
  }
  return columns
}

/** Takes out rows `from` to `to`, and puts others in their place. */
export function splice(columns: Columns, from: number, to: number, put?: Columns): void {
  for (const name of Object.keys(columns)) {
    const values = columns[name]
    const middle = Array.from(put?.[name] ?? [])
    if (values instanceof Int32Array)
      columns[name] = splicedTyped(values, new Int32Array(values.length - to + from + middle.length), from, to, middle)
    else if (values instanceof Float64Array)
      columns[name] = splicedTyped(
        values,
        new Float64Array(values.length - to + from + middle.length),
        from,
        to,
        middle,
      )
    else if (Array.isArray(values)) columns[name] = values.slice(0, from).concat(middle, values.slice(to))
  }
}

function splicedTyped<Typed extends Int32Array | Float64Array>(
  values: Typed,
  result: Typed,
  from: number,
  to: number,
  middle: readonly unknown[],
): Typed {
  result.set(values.subarray(0, from))
  result.set(middle.map(Number), from)
  result.set(values.subarray(to), from + middle.length)
  return result
}
