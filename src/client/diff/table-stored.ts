import type { BatchPiece, StoredBatch } from '../../codecs/table/table-batch.ts'
import { readPlaces, type TablePlaces } from '../../codecs/table/table-places.ts'
import type { StoredTable } from '../../codecs/table/table-reader.ts'
import { type ScannedBatch, scanTable } from '../../codecs/table/table-scan.ts'
import { readChunks } from '../../content/chunk-stream.ts'
import { openDigester } from '../../content/digest.ts'
import type { ChunkLeaf } from '../../content/version-reader.ts'
import { joined } from '../../platform/joined.ts'
import type { ChunkRef } from '../../protocol/chunk-ref.ts'
import { readAsset } from '../versions/asset-reader.ts'
import type { TablePlace } from './table-place.ts'

/** A stored table, and for each of its batches tokens of all its bytes. Tokens of two tables that were opened together are equal only for equal bytes. */
export interface ComparableTable extends StoredTable {
  readonly tokens: readonly (readonly string[])[]
}

/**
 * Two tables side by side. Where the encoder noted the places of the batches, only the pages of the chunk lists that differ are read, and the schemas;
 * else both tables are read once from end to end.
 *
 * @throws CorruptionError `table-damaged`
 */
export async function openTables(
  before: TablePlace,
  after: TablePlace,
  signal?: AbortSignal,
): Promise<readonly [ComparableTable, ComparableTable]> {
  const [one, two] = await Promise.all([chunkList(before, signal), chunkList(after, signal)])
  if (one && two) {
    const shared = sharedKeys(one.leaves, two.leaves)
    return Promise.all([fromPlaces(one, shared), fromPlaces(two, shared)])
  }
  return Promise.all([fromScan(before, signal), fromScan(after, signal)])
}

interface PlacedChunks extends TablePlace {
  readonly leaves: readonly ChunkLeaf[]
  readonly places: TablePlaces
  readonly signal: AbortSignal | undefined
}

async function chunkList({ reader, entry }: TablePlace, signal?: AbortSignal): Promise<PlacedChunks | undefined> {
  if (entry.kind !== 'table' || entry.info === undefined) return undefined
  const leaves = await reader.chunkLeaves(entry)
  const places = readPlaces(
    entry.info,
    leaves.reduce((sum, { count }) => sum + count, 0),
  )
  return places && { reader, entry, leaves, places, signal }
}

function sharedKeys(one: readonly ChunkLeaf[], two: readonly ChunkLeaf[]): Set<string> {
  const known = new Set(one.map(({ key }) => key))
  return new Set(two.map(({ key }) => key).filter((key) => known.has(key)))
}

async function fromPlaces(table: PlacedChunks, shared: ReadonlySet<string>): Promise<ComparableTable> {
  const { places } = table
  const tokens = await tokensOf(table, shared)
  const contents = await readRefs(table, await refsOf(table, 0, places.head))
  const batches: StoredBatch[] = []
  const batchTokens: string[][] = []
  let at = places.head
  for (const [index, count] of places.pieces.entries()) {
    batches.push(new PlacedBatch(table, places.rows[index], at, count))
    batchTokens.push(tokens.slice(at, at + count))
    at += count
  }
  return {
    what: whatOf(table),
    messages: [{ bytes: joined(contents), batch: 0 }],
    batches,
    tokens: batchTokens,
  }
}

/** For a chunk of a group that both tables have, its place in the group; for any other, its digest. */
async function tokensOf({ leaves }: PlacedChunks, shared: ReadonlySet<string>): Promise<string[]> {
  const tokens = await Promise.all(
    leaves.map(async ({ key, count, load }) =>
      shared.has(key)
        ? Array.from({ length: count }, (_, index) => `${key} ${index}`)
        : (await load()).map(({ digest }) => digest),
    ),
  )
  return tokens.flat()
}

async function refsOf({ leaves }: PlacedChunks, from: number, count: number): Promise<ChunkRef[]> {
  const refs: ChunkRef[] = []
  let at = 0
  for (const leaf of leaves) {
    if (at < from + count && at + leaf.count > from)
      refs.push(...(await leaf.load()).slice(Math.max(0, from - at), from + count - at))
    at += leaf.count
  }
  return refs
}

async function readRefs(table: PlacedChunks, refs: readonly ChunkRef[]): Promise<Uint8Array[]> {
  const contents: Uint8Array[] = []
  const wanted = refs.map((ref) => ({ ref, tag: undefined }))
  for await (const { bytes } of readChunks(table.reader.source, wanted, whatOf(table), table.signal))
    contents.push(bytes)
  return contents
}

class PlacedBatch implements StoredBatch {
  readonly rows: number
  readonly #table: PlacedChunks
  readonly #from: number
  readonly #count: number
  #refs: Promise<readonly ChunkRef[]> | undefined

  constructor(table: PlacedChunks, rows: number, from: number, count: number) {
    this.rows = rows
    this.#table = table
    this.#from = from
    this.#count = count
  }

  async pieces(): Promise<readonly BatchPiece[]> {
    this.#refs ??= refsOf(this.#table, this.#from, this.#count)
    return (await this.#refs).map(({ digest, size }) => ({ token: digest, size }))
  }

  async read(pieces: readonly number[]): Promise<readonly Uint8Array[]> {
    this.#refs ??= refsOf(this.#table, this.#from, this.#count)
    const refs = await this.#refs
    return readRefs(
      this.#table,
      pieces.map((piece) => refs[piece]),
    )
  }
}

async function fromScan(place: TablePlace, signal?: AbortSignal): Promise<ComparableTable> {
  const digester = await openDigester()
  const asset = readAsset(place.reader, place.entry, signal)
  const { messages, batches } = await scanTable(whatOf(place), asset, (bytes) => digester.hex(bytes))
  return {
    what: whatOf(place),
    messages,
    batches: batches.map((batch) => new ScannedPieces(place, batch, signal)),
    tokens: batches.map(({ pieces }) => pieces.map(({ token }) => token)),
  }
}

class ScannedPieces implements StoredBatch {
  readonly rows: number
  readonly #place: TablePlace
  readonly #batch: ScannedBatch
  readonly #signal: AbortSignal | undefined

  constructor(place: TablePlace, batch: ScannedBatch, signal: AbortSignal | undefined) {
    this.rows = batch.rows
    this.#place = place
    this.#batch = batch
    this.#signal = signal
  }

  async pieces(): Promise<readonly BatchPiece[]> {
    return this.#batch.pieces
  }

  /** Neighbours in one read. */
  async read(wanted: readonly number[]): Promise<readonly Uint8Array[]> {
    const { pieces, start } = this.#batch
    const contents: Uint8Array[] = []
    for (let at = 0; at < wanted.length; ) {
      let next = at + 1
      while (next < wanted.length && wanted[next] === wanted[next - 1] + 1) next++
      const from = pieces.slice(0, wanted[at]).reduce((sum, { size }) => sum + size, start)
      const run = wanted.slice(at, next).map((piece) => pieces[piece].size)
      const end = run.reduce((sum, size) => sum + size, from)
      const { reader, entry } = this.#place
      const parts: Uint8Array[] = []
      for await (const part of reader.read(entry, { start: from, end, signal: this.#signal })) parts.push(part.slice())
      const bytes = joined(parts)
      let offset = 0
      for (const size of run) {
        contents.push(bytes.subarray(offset, offset + size))
        offset += size
      }
      at = next
    }
    return contents
  }
}

function whatOf({ reader, entry }: TablePlace): string {
  return `${reader.what} '${entry.path}'`
}
