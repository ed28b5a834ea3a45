import { CorruptionError } from '../../errors.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { eachOf } from '../each-of.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'
import { bySeries, decodeBlock, encodeBlock, joinPoints, slicePoints } from './metric-block.ts'
import { lineFromJson, lineToJson } from './run-parts.ts'
import type { Line, Piece, Run, RunObject } from './run-state.ts'
import { type Points, seriesKey } from './series.ts'

// One read of an object store takes tens of milliseconds, and 2 MiB about as long.
const objectBytes = 2 * 1024 * 1024
const bytesOfPoint = 32

// Merging eight at a time writes each point once for each factor of eight; above 4 MiB a run is as good as it gets.
const fanIn = 8
const smallestClass = 16 * 1024
const largestMerged = 4 * 1024 * 1024
const mostSmallRuns = 64

export interface RunObjectsParts {
  readonly records: StoreRecords
  readonly randomId: () => string
  /** Keys begin with it. */
  readonly base: string
}

/** An object that a head names is not there: it was merged into another since that head was read. */
export class GoneError extends Error {}

/** Points and lines that have left the log: objects under `m/`, gathered into larger ones as they become many. */
export class RunObjects {
  readonly #records: StoreRecords
  readonly #base: string
  readonly #randomId: () => string

  constructor(options: RunObjectsParts) {
    this.#records = options.records
    this.#base = options.base
    this.#randomId = options.randomId
  }

  /** Writes pieces as the newest run, merging older ones where that is due. Nothing refers to the new objects yet. */
  async add(
    runs: readonly Run[],
    pieces: readonly Piece[],
  ): Promise<{ runs: readonly Run[]; added: readonly RunObject[]; replaced: readonly RunObject[] }> {
    if (pieces.length === 0) return { runs, added: [], replaced: [] }
    let now = [...runs, await this.#write(pieces)]
    const added = [...(now.at(-1)?.objects ?? [])]
    for (let at = mergeAt(now); at !== undefined; at = mergeAt(now)) {
      const merged = now.slice(at, at + fanIn)
      const read = await eachOf(
        merged.flatMap(({ objects }) => objects),
        (object) => this.#read(object),
      )
      const run = await this.#write(read)
      now = [...now.slice(0, at), run, ...now.slice(at + fanIn)]
      added.push(...run.objects)
    }
    const kept = new Set(now.flatMap(({ objects }) => objects))
    return {
      runs: now,
      added,
      replaced: [...runs.flatMap(({ objects }) => objects), ...added].filter((one) => !kept.has(one)),
    }
  }

  async delete(objects: readonly RunObject[]): Promise<void> {
    await eachOf(objects, ({ id }) => this.#records.store.delete(this.#key(id)))
  }

  /**
   * Points of one series in order.
   *
   * @throws GoneError
   */
  async series(runs: readonly Run[], key: string): Promise<Points[]> {
    const objects = runs
      .flatMap(({ objects }) => objects)
      .filter(({ first, last }) => first !== null && last !== null && first <= key && key <= last)
    const found = await eachOf(objects, (object) => this.#read(object))
    return found.flatMap(({ points }) => points.filter((one) => seriesKey(one) === key))
  }

  /** @throws GoneError */
  async lines(runs: readonly Run[]): Promise<Line[]> {
    const objects = runs.flatMap(({ objects }) => objects).filter(({ lines }) => lines > 0)
    return (await eachOf(objects, (object) => this.#read(object))).flatMap(({ lines }) => lines)
  }

  async #read({ id }: RunObject): Promise<Piece> {
    const key = this.#key(id)
    const stored = await this.#records.read(key, key)
    if (!stored) throw new GoneError(key)
    const shape = recordShape(stored.json, key)
    if (shape.text('id') !== id) throw shape.refuse('another record lies in its place')
    const lines = shape.list('lines').map((line) => lineFromJson(Array.isArray(line) ? line : [], shape))
    return { points: decodeBlock(shape, stored.attachment), lines }
  }

  async #write(pieces: readonly Piece[]): Promise<Run> {
    const objects: RunObject[] = []
    let bytes = 0
    const put = async (points: readonly Points[], lines: readonly Line[]) => {
      if (points.length === 0 && lines.length === 0) return
      const id = this.#randomId()
      const encoded = encodeBlock(points)
      const json: JsonValue = {
        format: 1,
        base: this.#base,
        id,
        block: encoded.block,
        lines: lines.map(lineToJson),
      }
      const stored = await this.#records.exchange(this.#key(id), undefined, json, encoded.bytes)
      if (!stored) throw taken(id)
      bytes += stored.size
      const keys = points.map(seriesKey)
      objects.push({ id, first: keys.at(0) ?? null, last: keys.at(-1) ?? null, lines: lines.length })
    }
    for (const lines of inPieces(
      pieces.flatMap(({ lines }) => lines),
      ({ text }) => text.length + 32,
    ))
      await put([], lines)
    const series = [...bySeries(pieces.flatMap(({ points }) => points))].sort(([a], [b]) => (a < b ? -1 : 1))
    const slices = series.flatMap(([, parts]) => slicesOf(joinPoints(parts)))
    for (const points of inPieces(slices, ({ values }) => values.length * bytesOfPoint)) await put(points, [])
    return { bytes, objects }
  }

  #key(id: string): string {
    return `${this.#base}/m/${id}`
  }
}

function slicesOf(points: Points): Points[] {
  const most = objectBytes / bytesOfPoint
  const slices: Points[] = []
  for (let at = 0; at < points.values.length; at += most) slices.push(slicePoints(points, at, at + most))
  return slices
}

function* inPieces<Item>(items: readonly Item[], bytesOf: (item: Item) => number): Generator<Item[]> {
  let piece: Item[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (piece.length > 0 && bytes + size > objectBytes) {
      yield piece
      piece = []
      bytes = 0
    }
    piece.push(item)
    bytes += size
  }
  if (piece.length > 0) yield piece
}

/** Where eight runs begin that should be one. */
function mergeAt(runs: readonly Run[]): number | undefined {
  const classes = runs.map(({ bytes }) =>
    bytes > largestMerged ? -1 : Math.max(0, Math.ceil(Math.log(bytes / smallestClass) / Math.log(fanIn))),
  )
  let small: { at: number; bytes: number } | undefined
  for (let at = 0; at + fanIn <= runs.length; at++) {
    const window = classes.slice(at, at + fanIn)
    if (window.includes(-1)) continue
    if (window.every((one) => one === window[0])) return at
    const bytes = runs.slice(at, at + fanIn).reduce((sum, run) => sum + run.bytes, 0)
    if (!small || bytes < small.bytes) small = { at, bytes }
  }
  // Large and small ones in turn never make eight alike.
  return classes.filter((one) => one !== -1).length > mostSmallRuns ? small?.at : undefined
}

function taken(id: string): CorruptionError {
  return new CorruptionError(`There is something else at m/${id} already. Check the store's source of randomness.`, {
    code: 'record-damaged',
  })
}
