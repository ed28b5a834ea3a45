import { throwIfAborted } from '../errors.ts'
import type { ChunkRef, PackName } from '../protocol/chunk-ref.ts'
import type { ChunkSource } from './chunk-source.ts'
import type { Entry } from './entry.ts'
import { inPack, PageReader } from './page-reader.ts'

/** Pages that were walked. */
export type SeenPages = Pick<Set<string>, 'has'> & { add(page: string): unknown }

/** Which stored forms are needed: for each pack, the offsets in it. */
export type Reachable = Map<PackName, Set<number>>

/**
 * Everything a version needs: its pages, its chunks, the bases of deltas, previews. Pages in `seen` were walked before and are passed over, so that walking
 * all versions costs about as much as walking their union.
 *
 * @param self the name of the small pack in the version's record.
 * @throws CorruptionError when a page is damaged, NotFoundError when its pack is missing: nothing may be deleted then.
 */
export async function reachablePacks(options: {
  source: ChunkSource
  manifest: ChunkRef | null
  self: PackName
  seen: SeenPages
  what: string
  signal?: AbortSignal
}): Promise<Reachable> {
  const { source, manifest, self, seen, what, signal } = options
  const found: Reachable = new Map()
  const pages = new PageReader(source, what)

  const mark = (ref: ChunkRef) => {
    const offsets = found.get(ref.pack) ?? new Set()
    found.set(ref.pack, offsets.add(ref.offset))
    if (ref.base) mark(ref.base)
  }
  const walk = async (ref: ChunkRef, kind: 'entries' | 'chunks') => {
    throwIfAborted(signal)
    const key = `${ref.digest} ${ref.pack} ${ref.offset}`
    if (seen.has(key)) return
    mark(ref)
    const page = await pages.read(ref, kind)
    for (const link of page.links) await walk(link.page, kind)
    for (const chunk of page.chunks) mark(chunk)
    for (const entry of page.entries) await markEntry(entry)
    // Only now: a walk that failed half-way must not let another pass over the rest.
    seen.add(key)
  }
  const markEntry = async ({ content, previewChunk }: Entry) => {
    if (previewChunk) mark(previewChunk)
    if (content && 'chunks' in content) for (const chunk of content.chunks) mark(chunk)
    if (content && 'tree' in content) await walk(content.tree, 'chunks')
  }

  if (manifest) await walk(inPack(manifest, self), 'entries')
  return found
}
