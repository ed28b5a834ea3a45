import { ConflictError, throwIfAborted } from '../errors.ts'
import { comparePaths } from '../paths.ts'
import type { ChunkRef } from '../protocol/chunk-ref.ts'
import type { Metadata } from '../protocol/shapes.ts'
import { type AssetBytes, AssetWriter, type WrittenAsset } from './asset-writer.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { type Digester, openDigester } from './digest.ts'
import { type Content, type Entry, makeEntry, type RemoteReference } from './entry.ts'
import { type PackSink, PackWriter } from './pack-writer.ts'
import { PageTreeWriter, sameEntry } from './page-tree-writer.ts'
import type { VersionReader } from './version-reader.ts'

export interface VersionWriterOptions {
  readonly sink: PackSink
  /** The version to compare with: what it has is not stored again. */
  readonly base?: VersionReader
  /** Deflate full chunks too: where bytes are dearer than time. Default false; deltas and pages always are. */
  readonly deflate?: boolean
  readonly signal?: AbortSignal
  /** `flowers`, for messages. */
  readonly what?: string
}

export interface AssetInput extends AssetBytes {
  readonly path: string
  readonly kind: string
  readonly mediaType: string
  readonly metadata?: Metadata
  preview?(): Metadata | undefined
  info?(): Metadata | undefined
}

/** All that a commit says about the content of a version. */
export interface WrittenVersion {
  readonly manifest: ChunkRef | null
  readonly digest: string
  readonly size: number
  readonly count: number
  readonly remoteCount: number
  /** Pack objects sent. */
  readonly packs: readonly string[]
  /** A small last pack, to travel inside the version record. */
  readonly inlinePack?: Uint8Array
  /** Bytes of all packs, the small one included. */
  readonly bytesStored: number
}

// More chunks than this are listed in pages of their own, so that the line of a large asset stays short.
const chunksInLine = 16

// A preview up to this many characters stands in the line.
const previewInLine = 512

// Once this much of a version is new, it is worth reading the whole base to find what was only moved.
const searchMovedAfter = 1024 * 1024
const movedChunks = 262_144

/** Writes one version: assets one after another, then `finish`. Nothing refers to what it stored until the result is committed. */
export class VersionWriter {
  readonly #base: VersionReader | undefined
  readonly #deflate: boolean
  readonly #signal: AbortSignal | undefined
  readonly #digester: Digester
  readonly #packs: PackWriter
  readonly #chunks: ChunkWriter
  readonly #pages: PageTreeWriter
  readonly #entries: Entry[] = []
  #searched = false

  private constructor(options: VersionWriterOptions, digester: Digester) {
    const { base, what = 'a new version' } = options
    this.#base = base
    this.#deflate = options.deflate ?? false
    this.#signal = options.signal
    this.#digester = digester
    this.#packs = new PackWriter(options.sink, digester)
    this.#chunks = new ChunkWriter({ packs: this.#packs, digester, source: base?.source, what: base?.what ?? what })
    this.#pages = new PageTreeWriter(this.#packs, this.#chunks)
  }

  static async open(options: VersionWriterOptions): Promise<VersionWriter> {
    return new VersionWriter(options, await openDigester())
  }

  /** Bytes of packs that were sent. */
  get bytesStored(): number {
    return this.#packs.bytesStored
  }

  /** Reads `body` to its end. Equal to the base's asset of that path: nothing is stored. */
  async add(asset: AssetInput, onBytes?: (bytes: number) => void): Promise<Entry> {
    const { path, kind, mediaType, metadata } = asset
    const old = await this.#base?.entry(path)
    if (!old) await this.#searchMoved()
    const writer = new AssetWriter({
      chunks: this.#chunks,
      digester: this.#digester,
      // What replaces something is an edit: small, or worth the time.
      deflate: old ? 'small' : this.#deflate && 'fast',
      old: old && (await this.#oldChunks(old)),
    })
    const written = await writer.write(asset, this.#signal, onBytes)
    const { size, digest } = written
    const facts: Entry = { path, size, digest, kind, mediaType, metadata, info: asset.info?.() }
    const entry = old && !old.remote && sameEntry(facts, old) ? old : await this.#entry(facts, asset, written, old)
    this.#entries.push(entry)
    return entry
  }

  addRemote(remote: { path: string; reference: RemoteReference; mediaType?: string; metadata?: Metadata }): Entry {
    const { path, reference, mediaType = 'application/octet-stream', metadata } = remote
    const entry = makeEntry({
      path,
      size: reference.size ?? 0,
      digest: referenceDigest(reference, this.#digester),
      kind: 'remote',
      mediaType,
      metadata,
      remote: reference,
    })
    this.#entries.push(entry)
    return entry
  }

  /** An asset of the base as it is, perhaps with other metadata: nothing is read or stored. */
  keep(entry: Entry): void {
    this.#entries.push(entry)
  }

  /**
   * Writes the manifest and waits until everything is stored.
   *
   * @throws ConflictError `asset-exists` when two assets have one path, `asset-in-the-way` when one has others below it.
   */
  async finish(): Promise<WrittenVersion> {
    throwIfAborted(this.#signal)
    const entries = this.#entries.sort((a, b) => comparePaths(a.path, b.path))
    assertApart(entries)
    const base = this.#base
    const root =
      entries.length === 0
        ? null
        : await this.#pages.write('entries', entries, base && { pathTo: (item) => base.pathTo(pathOf(item)) })
    const inlinePack = await this.#packs.finish()
    const remote = entries.filter((entry) => entry.remote)
    return {
      manifest: root && this.#packs.resolve(root),
      digest: versionDigest(entries, this.#digester),
      size: entries.reduce((sum, entry) => sum + (entry.remote ? 0 : entry.size), 0),
      count: entries.length,
      remoteCount: remote.length,
      packs: this.#packs.ids,
      inlinePack,
      bytesStored: this.#packs.bytesStored,
    }
  }

  /** Of two versions with one digest: whether this one, written to its end, says something new of an asset. No metadata is nothing new. */
  async hasNewsOf(older: VersionReader): Promise<boolean> {
    let at = 0
    for await (const old of older.entries({ signal: this.#signal })) {
      const { kind, mediaType, metadata = old.metadata } = this.#entries[at++] ?? old
      if (kind !== old.kind || mediaType !== old.mediaType) return true
      if (JSON.stringify(metadata) !== JSON.stringify(old.metadata)) return true
    }
    return false
  }

  /** Waits for what is under way, when the version is given up: the sink may then be closed. */
  async abandon(): Promise<void> {
    await this.#packs.settle().catch(() => undefined)
  }

  async #entry(facts: Entry, asset: AssetInput, written: WrittenAsset, old: Entry | undefined): Promise<Entry> {
    const { path, size, digest, kind, mediaType, metadata, info } = facts
    const { preview, previewChunk } = await this.#preview(asset, old)
    const content = await this.#content(written, old)
    return makeEntry({ path, size, digest, kind, mediaType, metadata, info, preview, previewChunk, content })
  }

  async #oldChunks(old: Entry): Promise<ChunkRef[]> {
    const refs: ChunkRef[] = []
    if (this.#base) for await (const { ref } of this.#base.chunks(old)) refs.push(ref)
    return refs
  }

  /** A renamed folder must not be sent again: makes all chunks of the base known. */
  async #searchMoved(): Promise<void> {
    if (this.#searched || !this.#base || this.#packs.bytesStored < searchMovedAfter) return
    this.#searched = true
    let count = 0
    for await (const entry of this.#base.entries({ signal: this.#signal })) {
      for await (const { ref } of this.#base.chunks(entry)) {
        if (++count > movedChunks) return
        this.#chunks.remember(ref)
      }
    }
  }

  async #content({ chunks, positions }: WrittenAsset, old: Entry | undefined): Promise<Content> {
    if (chunks.length <= chunksInLine) return { chunks }
    const base = this.#base
    const tree = old?.content && 'tree' in old.content ? old.content.tree : undefined
    if (!base || !tree) return { tree: await this.#pages.write('chunks', chunks) }
    return {
      tree: await this.#pages.write('chunks', chunks, {
        pathTo: (_item, index) => base.pathToChunk(tree, positions[index] ?? 0),
      }),
    }
  }

  async #preview(asset: AssetInput, old: Entry | undefined): Promise<{ preview?: Metadata; previewChunk?: ChunkRef }> {
    const preview = asset.preview?.()
    if (!preview) return {}
    const text = JSON.stringify(preview)
    if (text.length <= previewInLine) return { preview }
    const { ref } = await this.#chunks.write(new TextEncoder().encode(text), {
      replaces: old?.previewChunk,
      deflate: 'small',
    })
    return { previewChunk: ref }
  }
}

/** The digest of what is only linked: that of what is known of it. */
export function referenceDigest({ uri, etag, checksum, versionId, size }: RemoteReference, digester: Digester): string {
  const identity = JSON.stringify([uri, etag ?? null, checksum ?? null, versionId ?? null, size ?? null])
  return digester.hex(new TextEncoder().encode(identity))
}

/** SHA-256 over one line for each asset, sorted by path: the digest, two spaces, the path - what `sha256sum` prints for the files. */
export function versionDigest(entries: readonly Entry[], digester: Digester): string {
  const hasher = digester.create()
  const encoder = new TextEncoder()
  let lines = ''
  for (const { digest, path } of entries) {
    lines += `${digest}  ${path}\n`
    if (lines.length < 65_536) continue
    hasher.update(encoder.encode(lines))
    lines = ''
  }
  hasher.update(encoder.encode(lines))
  return hasher.hex()
}

/** Sorted entries: no two at one path, and no stored file where others need a folder. What is only linked is in no folder: S3 has such keys. */
function assertApart(entries: readonly Entry[]): void {
  // Those of the entries before that this one's path begins with.
  const begun: string[] = []
  let previous: string | undefined
  for (const { path, remote } of entries) {
    if (path === previous) throw duplicate(path)
    previous = path
    if (remote) continue
    for (let last = begun.at(-1); last !== undefined && !path.startsWith(last); last = begun.at(-1)) begun.pop()
    const file = begun.find((one) => path.charAt(one.length) === '/')
    if (file !== undefined) throw inTheWay(file, path)
    begun.push(path)
  }
}

function inTheWay(file: string, path: string): ConflictError {
  return new ConflictError(
    `'${file}' is an asset, and cannot be the folder of '${path}' as well. Give one of them another logical path.`,
    { code: 'asset-in-the-way', fields: { path: file, other: path } },
  )
}

function pathOf(item: { path: string } | { first: string } | { digest: string }): string {
  if ('path' in item) return item.path
  return 'first' in item ? item.first : ''
}

function duplicate(path: string): ConflictError {
  return new ConflictError(
    `Two assets have the path '${path}'. Give one of them another logical path, or overwrite the first.`,
    {
      code: 'asset-exists',
      fields: { path },
    },
  )
}
