import { throwIfAborted } from '../errors.ts'
import type { ChunkRef, PackName } from '../protocol/chunk-ref.ts'
import { type ChunkSource, openChunk } from './chunk-source.ts'

/** A chunk wanted, and whatever the caller wants to know it by. */
export interface Wanted<Tag> {
  readonly ref: ChunkRef
  readonly tag: Tag
}

export interface Opened<Tag> {
  readonly bytes: Uint8Array
  readonly tag: Tag
}

// One batch is read while the one before it is used: twice this much is held.
const batchBytes = 4 * 1024 * 1024
const batchChunks = 1024

// Reading through a gap is cheaper than another request (zarrita and fsspec use 32 KiB too).
const widestGap = 32 * 1024

/** The contents of chunks in the order asked for, each verified; neighbours in a pack are fetched together, and a batch ahead. */
export async function* readChunks<Tag>(
  source: ChunkSource,
  wanted: AsyncIterable<Wanted<Tag>> | Iterable<Wanted<Tag>>,
  what: string,
  signal?: AbortSignal,
): AsyncGenerator<Opened<Tag>> {
  const batches = inBatches(wanted)
  const fetchNext = async () => {
    const { value: batch } = await batches.next()
    return batch && { batch, stored: await fetchBatch(source, batch, signal) }
  }
  let ahead = fetchNext()
  try {
    while (true) {
      throwIfAborted(signal)
      const current = await ahead
      if (!current) return
      ahead = fetchNext()
      // If the consumer stops, nobody awaits what was fetched ahead.
      ahead.catch(() => undefined)
      for (const { ref, tag } of current.batch) {
        const base = ref.base && current.stored.get(ref.base)
        yield { bytes: await openChunk(ref, current.stored.get(ref), base, what), tag }
      }
    }
  } finally {
    await ahead.catch(() => undefined)
    await batches.return(undefined)
  }
}

async function* inBatches<Tag>(
  wanted: AsyncIterable<Wanted<Tag>> | Iterable<Wanted<Tag>>,
): AsyncGenerator<Wanted<Tag>[]> {
  let batch: Wanted<Tag>[] = []
  let bytes = 0
  for await (const one of wanted) {
    batch.push(one)
    bytes += one.ref.length
    if (bytes < batchBytes && batch.length < batchChunks) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** The stored forms of a batch and of the bases it needs, by place. */
class StoredForms {
  readonly #forms = new Map<string, Uint8Array>()

  get({ pack, offset }: ChunkRef): Uint8Array {
    const form = this.#forms.get(`${pack} ${offset}`)
    if (!form) throw new RangeError('A chunk was not fetched with its batch.')
    return form
  }

  add({ pack, offset }: ChunkRef, form: Uint8Array): void {
    this.#forms.set(`${pack} ${offset}`, form)
  }
}

async function fetchBatch(
  source: ChunkSource,
  batch: readonly Wanted<unknown>[],
  signal?: AbortSignal,
): Promise<StoredForms> {
  const forms = new StoredForms()
  const refs = batch.flatMap(({ ref }) => (ref.base ? [ref, ref.base] : [ref]))
  await Promise.all(
    ranges(refs).map(async ({ pack, start, end, members }) => {
      const bytes = await source.read(pack, start, end - start, signal)
      for (const ref of members) forms.add(ref, bytes.subarray(ref.offset - start, ref.offset - start + ref.length))
    }),
  )
  return forms
}

interface Range {
  readonly pack: PackName
  readonly start: number
  end: number
  readonly members: ChunkRef[]
}

/** Neighbours joined to ranges worth one request each. */
function ranges(refs: readonly ChunkRef[]): Range[] {
  const sorted = [...refs].sort((a, b) => (a.pack < b.pack ? -1 : a.pack > b.pack ? 1 : a.offset - b.offset))
  const joined: Range[] = []
  for (const ref of sorted) {
    const last = joined.at(-1)
    if (last && last.pack === ref.pack && ref.offset - last.end <= widestGap) {
      last.end = Math.max(last.end, ref.offset + ref.length)
      last.members.push(ref)
    } else {
      joined.push({ pack: ref.pack, start: ref.offset, end: ref.offset + ref.length, members: [ref] })
    }
  }
  return joined
}
