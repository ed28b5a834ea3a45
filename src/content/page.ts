import { CorruptionError } from '../errors.ts'
import { type ChunkRef, isPackId, ownPack, type PackName, parseRecordPackName } from '../protocol/chunk-ref.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'
import { type Content, type Entry, makeEntry, type RemoteReference } from './entry.ts'
import { decodeRef, encodeRef, type PackNames } from './page-refs.ts'

/** What a page lists: the assets of a version, or the chunks of one large asset. */
export type PageKind = 'entries' | 'chunks'

/** A line of an inner page: a page of the level below. */
export interface PageLink {
  readonly page: ChunkRef
  /** Lines at level 0 below it. */
  readonly count: number
  /** Path of the first entry below it; empty in a list of chunks. */
  readonly first: string
  /** Bytes of content below it. */
  readonly bytes: number
}

export interface Page {
  readonly kind: PageKind
  readonly level: number
  /** Every pack its lines name. */
  readonly packs: readonly PackName[]
  readonly entries: readonly Entry[]
  readonly chunks: readonly ChunkRef[]
  readonly links: readonly PageLink[]
}

export type PageItem = Entry | ChunkRef | PageLink

const encoder = new TextEncoder()

/** A page as bytes: a header line, then a JSON line for each item. */
export function encodePage(kind: PageKind, level: number, items: readonly PageItem[], names: PackNames): Uint8Array {
  const lines = items.map((item) => JSON.stringify(encodeItem(item, names)))
  const header = JSON.stringify({ page: kind, level, packs: names.list })
  return encoder.encode(`${[header, ...lines].join('\n')}\n`)
}

function encodeItem(item: PageItem, names: PackNames): JsonValue {
  if ('path' in item) return encodeEntry(item, names)
  if ('page' in item)
    return { first: item.first, count: item.count, bytes: item.bytes, page: encodeRef(item.page, names) }
  return encodeRef(item, names)
}

function encodeEntry(entry: Entry, names: PackNames): JsonValue {
  const { path, size, digest, kind, mediaType, metadata, preview, previewChunk, info, content, remote } = entry
  const line: Record<string, JsonValue> = { path, size, digest, kind, mediaType }
  if (metadata) line.metadata = metadata
  if (info) line.info = info
  if (preview) line.preview = preview
  if (previewChunk) line.previewChunk = encodeRef(previewChunk, names)
  if (content && 'chunks' in content) line.chunks = content.chunks.map((ref) => encodeRef(ref, names))
  if (content && 'tree' in content) line.tree = encodeRef(content.tree, names)
  if (remote) line.remote = { ...remote }
  return line
}

/**
 * Reads a page.
 *
 * @param home the pack the page lies in: what `*` means in it.
 * @throws CorruptionError `page-damaged` when it is not a page of the format.
 */
export function decodePage(bytes: Uint8Array, home: PackName, what: string): Page {
  try {
    const [header, ...lines] = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trimEnd().split('\n')
    const { page: kind, level, packs: named } = JSON.parse(header)
    if (kind !== 'entries' && kind !== 'chunks') throw new RangeError('an unknown kind of page')
    if (!Number.isInteger(level) || level < 0 || level > 8 || !Array.isArray(named))
      throw new RangeError('a header out of range')
    const packs = named.map((name) => packName(name, home))
    const items = lines.map((line): JsonValue => JSON.parse(line))
    return {
      kind,
      level,
      packs,
      entries: level === 0 && kind === 'entries' ? items.map((item) => decodeEntry(item, packs)) : [],
      chunks: level === 0 && kind === 'chunks' ? items.map((item) => decodeRef(item, packs)) : [],
      links: level > 0 ? items.map((item) => decodeLink(item, packs)) : [],
    }
  } catch (cause) {
    throw new CorruptionError(`The manifest of ${what} is damaged: a page of it cannot be read.`, {
      code: 'page-damaged',
      fields: { what },
      cause,
    })
  }
}

function packName(name: unknown, home: PackName): PackName {
  if (name === ownPack) return home
  if (typeof name !== 'string' || !(isPackId(name) || parseRecordPackName(name)))
    throw new RangeError('not the name of a pack')
  return name
}

function decodeLink(item: JsonValue, packs: readonly PackName[]): PageLink {
  const { first, count, bytes, page } = object(item)
  if (typeof first !== 'string') throw new RangeError('a link without its first path')
  return { first, count: whole(count), bytes: whole(bytes), page: decodeRef(page, packs) }
}

function decodeEntry(item: JsonValue, packs: readonly PackName[]): Entry {
  const line = object(item)
  const { path, digest, kind, mediaType } = line
  if (typeof path !== 'string' || typeof kind !== 'string' || typeof mediaType !== 'string')
    throw new RangeError('an entry without a name')
  if (typeof digest !== 'string' || !isPackId(digest)) throw new RangeError('an entry without its digest')
  return makeEntry({
    path,
    size: whole(line.size),
    digest,
    kind,
    mediaType,
    metadata: optional(line.metadata),
    info: optional(line.info),
    preview: optional(line.preview),
    previewChunk: line.previewChunk === undefined ? undefined : decodeRef(line.previewChunk, packs),
    content: line.remote === undefined ? content(line, packs) : undefined,
    remote: line.remote === undefined ? undefined : remoteReference(object(line.remote)),
  })
}

function content(line: Metadata, packs: readonly PackName[]): Content {
  if (line.tree !== undefined) return { tree: decodeRef(line.tree, packs) }
  if (!isArray(line.chunks)) throw new RangeError('an entry without content')
  return { chunks: line.chunks.map((ref) => decodeRef(ref, packs)) }
}

function remoteReference(value: Metadata): RemoteReference {
  const { uri, etag, checksum, versionId, size, synced } = value
  if (typeof uri !== 'string' || typeof synced !== 'boolean') throw new RangeError('a reference without its address')
  return {
    uri,
    synced,
    ...(typeof etag === 'string' && { etag }),
    ...(typeof checksum === 'string' && { checksum }),
    ...(typeof versionId === 'string' && { versionId }),
    ...(typeof size === 'number' && { size }),
  }
}

function object(value: JsonValue | undefined): Metadata {
  if (typeof value !== 'object' || value === null || isArray(value)) throw new RangeError('not an object')
  return value
}

function optional(value: JsonValue | undefined): Metadata | undefined {
  return value === undefined ? undefined : object(value)
}

function whole(value: JsonValue | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new RangeError('not a whole number')
  return value
}

function isArray(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value)
}
