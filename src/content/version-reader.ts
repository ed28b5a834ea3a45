import { CorruptionError, throwIfAborted } from '../errors.ts'
import { comparePaths } from '../paths.ts'
import type { ChunkRef, PackName } from '../protocol/chunk-ref.ts'
import type { Metadata } from '../protocol/shapes.ts'
import { type ChunkSource, readChunk } from './chunk-source.ts'
import { readChunks, type Wanted } from './chunk-stream.ts'
import { type Hasher, openDigester } from './digest.ts'
import type { Entry } from './entry.ts'
import type { Page, PageKind, PageLink } from './page.ts'
import { inPack, type KeptPages, PageReader } from './page-reader.ts'
import type { ReadOptions, VersionReading } from './version-reading.ts'

export interface VersionReaderOptions {
  readonly source: ChunkSource
  /** Root page of the manifest; null for a version without assets. */
  readonly manifest: ChunkRef | null
  /** Name of the small pack in the version's record: what `*` means in `manifest`. */
  readonly self: PackName
  /** `flowers:v3`, for messages. */
  readonly what: string
  /** Shared with readers of other versions in the same store. */
  readonly pages?: KeptPages
}

/** A page and where it is stored. */
export interface PlacedPage {
  readonly ref: ChunkRef
  readonly page: Page
}

/** Some of an asset's chunks that lie next to each other; read only when loaded. Equal keys mean equal chunks. */
export interface ChunkLeaf {
  readonly key: string
  readonly count: number
  load(): Promise<readonly ChunkRef[]>
}

/** Reads one version: its assets, and their bytes. Everything that comes out was verified against its digest. */
export class VersionReader implements VersionReading {
  readonly manifest: ChunkRef | null
  readonly what: string
  readonly source: ChunkSource
  readonly #pages: PageReader

  constructor({ source, manifest, self, what, pages }: VersionReaderOptions) {
    this.source = source
    this.manifest = manifest && inPack(manifest, self)
    this.what = what
    this.#pages = new PageReader(source, what, pages)
  }

  /** All assets, sorted by path; `prefix` keeps those whose path begins with it, `after` those beyond it. */
  async *entries(options: { prefix?: string; after?: string; signal?: AbortSignal } = {}): AsyncGenerator<Entry> {
    const { prefix = '', after = '', signal } = options
    const from = comparePaths(prefix, after) > 0 ? prefix : after
    for await (const page of this.entryPages({ from, signal })) {
      for (const entry of page.entries) {
        if (comparePaths(entry.path, from) < 0 || (after !== '' && comparePaths(entry.path, after) <= 0)) continue
        if (!entry.path.startsWith(prefix)) {
          if (comparePaths(entry.path, prefix) > 0) return
          continue
        }
        yield entry
      }
    }
  }

  async entry(path: string, signal?: AbortSignal): Promise<Entry | undefined> {
    for await (const page of this.entryPages({ from: path, signal }))
      return page.entries.find((entry) => entry.path === path)
    return undefined
  }

  /** The leaves of the manifest, from the one that holds (or would hold) the path `from`. */
  async *entryPages({ from = '', signal }: { from?: string; signal?: AbortSignal } = {}): AsyncGenerator<Page> {
    for await (const { load } of this.leafLinks(signal, from)) yield (await load()).page
  }

  /** Where the leaves of the manifest are; each is read only when loaded. */
  async *leafLinks(signal?: AbortSignal, from = ''): AsyncGenerator<{ link: ChunkRef; load(): Promise<PlacedPage> }> {
    if (this.manifest) yield* this.#leafLinks(await this.#place(this.manifest), from, signal)
  }

  async *#leafLinks(
    { ref, page }: PlacedPage,
    from: string,
    signal?: AbortSignal,
  ): AsyncGenerator<{ link: ChunkRef; load(): Promise<PlacedPage> }> {
    throwIfAborted(signal)
    if (page.level === 0) {
      yield { link: ref, load: async () => ({ ref, page }) }
      return
    }
    for (const [index, child] of page.links.entries()) {
      const next = page.links[index + 1]
      if (next && comparePaths(next.first, from) <= 0) continue
      if (page.level === 1) yield { link: child.page, load: () => this.#place(child.page) }
      else yield* this.#leafLinks(await this.#place(child.page), from, signal)
    }
  }

  async #place(ref: ChunkRef): Promise<PlacedPage> {
    return { ref, page: await this.#pages.read(ref, 'entries') }
  }

  /** The pages from the root of the manifest to the leaf where the path is or would be. */
  async pathTo(path: string): Promise<PlacedPage[]> {
    return this.manifest ? this.#descend(this.manifest, 'entries', (next) => comparePaths(next.first, path) <= 0) : []
  }

  /** The pages from the root of a long list of chunks to the leaf that holds the byte at `position`. */
  async pathToChunk(tree: ChunkRef, position: number): Promise<PlacedPage[]> {
    let at = 0
    return this.#descend(tree, 'chunks', (_next, current) => {
      if (at + current.bytes > position) return false
      at += current.bytes
      return true
    })
  }

  async #descend(
    root: ChunkRef,
    kind: PageKind,
    passes: (next: PageLink, current: PageLink) => boolean,
  ): Promise<PlacedPage[]> {
    const path: PlacedPage[] = []
    let ref = root
    while (true) {
      const page = await this.#pages.read(ref, kind)
      path.push({ ref, page })
      if (page.level === 0 || page.links.length === 0) return path
      let index = 0
      while (index + 1 < page.links.length && passes(page.links[index + 1], page.links[index])) index++
      ref = page.links[index].page
    }
  }

  /** The chunks that hold the bytes from `start` on, each with its place in the asset. */
  async *chunks(entry: Entry, start = 0): AsyncGenerator<Wanted<number>> {
    if (!entry.content) return
    if ('tree' in entry.content) {
      yield* this.#treeChunks(entry.content.tree, 0, start)
      return
    }
    yield* placed(entry.content.chunks, 0, start)
  }

  async *#treeChunks(ref: ChunkRef, at: number, start: number): AsyncGenerator<Wanted<number>> {
    const page = await this.#pages.read(ref, 'chunks')
    if (page.level === 0) {
      yield* placed(page.chunks, at, start)
      return
    }
    let position = at
    for (const link of page.links) {
      if (position + link.bytes > start) yield* this.#treeChunks(link.page, position, start)
      position += link.bytes
    }
  }

  /** All chunks of an asset, in order, in groups that versions share where nothing changed. */
  async chunkLeaves({ content }: Entry): Promise<ChunkLeaf[]> {
    if (!content) return []
    if ('tree' in content) return this.#chunkLeaves(content.tree)
    const { chunks } = content
    return [{ key: chunks.map(({ digest }) => digest).join(), count: chunks.length, load: async () => chunks }]
  }

  async #chunkLeaves(ref: ChunkRef): Promise<ChunkLeaf[]> {
    const page = await this.#pages.read(ref, 'chunks')
    if (page.level === 0) return [leafAt(ref, page.chunks.length, async () => page.chunks)]
    if (page.level > 1) return (await Promise.all(page.links.map((link) => this.#chunkLeaves(link.page)))).flat()
    return page.links.map(({ page: leaf, count }) =>
      leafAt(leaf, count, async () => (await this.#pages.read(leaf, 'chunks')).chunks),
    )
  }

  /**
   * The bytes of an asset, piece by piece. A read of the whole asset also checks the asset's own digest at its end.
   *
   * @throws CorruptionError naming the version and path, before any wrong byte comes out.
   */
  async *read(entry: Entry, { start = 0, end = entry.size, signal }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const last = Math.min(end, entry.size)
    if (start >= last && entry.size > 0) return
    const check = start === 0 && last === entry.size ? await this.#check(entry) : undefined
    for await (const { bytes, tag: position } of readChunks(
      this.source,
      before(this.chunks(entry, start), last),
      this.#name(entry),
      signal,
    )) {
      const piece = bytes.subarray(Math.max(0, start - position), Math.max(0, last - position))
      check?.update(piece)
      yield piece
    }
    check?.end()
  }

  /** Many assets one after another, small ones fetched together. Each body must be read (or left) before the next asset is asked for. */
  async *readMany(
    entries: AsyncIterable<Entry> | Iterable<Entry>,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<{ entry: Entry; body: AsyncGenerator<Uint8Array> }> {
    const order: Entry[] = []
    const chunks = readChunks(this.source, this.#chunksOf(entries, order), this.what, options.signal)
    try {
      let next = await chunks.next()
      while (!next.done || order.length > 0) {
        const entry = order.shift()
        if (!entry) throw new RangeError('A chunk came without its asset.')
        const body = this.#body(entry, next, async () => {
          next = await chunks.next()
          return next
        })
        yield { entry, body }
        while (!next.done && next.value.tag === entry) next = await chunks.next()
      }
    } finally {
      await chunks.return(undefined)
    }
  }

  async *#chunksOf(entries: AsyncIterable<Entry> | Iterable<Entry>, order: Entry[]): AsyncGenerator<Wanted<Entry>> {
    for await (const entry of entries) {
      order.push(entry)
      for await (const { ref } of this.chunks(entry)) yield { ref, tag: entry }
    }
  }

  async *#body(
    entry: Entry,
    first: IteratorResult<{ bytes: Uint8Array; tag: Entry }>,
    advance: () => Promise<IteratorResult<{ bytes: Uint8Array; tag: Entry }>>,
  ): AsyncGenerator<Uint8Array> {
    const check = await this.#check(entry)
    let current = first
    while (!current.done && current.value.tag === entry) {
      check.update(current.value.bytes)
      yield current.value.bytes
      current = await advance()
    }
    check.end()
  }

  /** What a list shows of an asset without reading it. */
  async preview(entry: Entry, signal?: AbortSignal): Promise<Metadata | undefined> {
    if (!entry.previewChunk) return entry.preview
    const bytes = await readChunk(this.source, entry.previewChunk, `The preview of ${this.#name(entry)}`, signal)
    return JSON.parse(new TextDecoder().decode(bytes))
  }

  #name(entry: Entry): string {
    return `${this.what} '${entry.path}'`
  }

  async #check(entry: Entry): Promise<{ update(bytes: Uint8Array): void; end(): void }> {
    const hasher: Hasher = (await openDigester()).create()
    let size = 0
    return {
      update: (bytes) => {
        size += bytes.length
        hasher.update(bytes)
      },
      end: () => {
        if (size === entry.size && hasher.hex() === entry.digest) return
        throw new CorruptionError(`${this.#name(entry)} is damaged: its chunks do not make up its digest.`, {
          code: 'asset-damaged',
          fields: { what: this.what, path: entry.path },
        })
      },
    }
  }
}

function leafAt({ digest, pack, offset }: ChunkRef, count: number, load: ChunkLeaf['load']): ChunkLeaf {
  return { key: `${digest} ${pack} ${offset}`, count, load }
}

function* placed(refs: readonly ChunkRef[], at: number, start: number): Generator<Wanted<number>> {
  let position = at
  for (const ref of refs) {
    if (position + ref.size > start) yield { ref, tag: position }
    position += ref.size
  }
}

async function* before(chunks: AsyncIterable<Wanted<number>>, end: number): AsyncGenerator<Wanted<number>> {
  for await (const chunk of chunks) {
    if (chunk.tag >= end) return
    yield chunk
  }
}
