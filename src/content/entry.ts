import type { ChunkRef } from '../protocol/chunk-ref.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'

/** Where an asset's bytes are: its chunks in order, or, when there are many, the root page of a list of them. */
export type Content = { readonly chunks: readonly ChunkRef[] } | { readonly tree: ChunkRef }

/** Data that stays where it is: only the link is stored. */
export interface RemoteReference {
  readonly uri: string
  readonly etag?: string
  readonly checksum?: string
  readonly versionId?: string
  readonly size?: number
  /** False when nothing about the object could be or was to be checked. */
  readonly synced: boolean
}

/** One line of a manifest: an asset of a version. */
export interface Entry {
  /** Relative, `/`-separated, NFC. */
  readonly path: string
  /** Bytes; for a remote asset what is known of it, else 0. */
  readonly size: number
  /** SHA-256 of the asset's bytes; of a remote asset, of its reference. */
  readonly digest: string
  readonly kind: string
  readonly mediaType: string
  readonly metadata?: Metadata
  /** A preview of a few hundred bytes lies in the line, a larger one in a chunk of its own. */
  readonly preview?: Metadata
  readonly previewChunk?: ChunkRef
  /** The codec's own facts for the next version. */
  readonly info?: Metadata
  readonly content?: Content
  readonly remote?: RemoteReference
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/**
 * An entry with what there is to say, key after key in one order. Spread together from parts, each entry gets a hidden class of its own in V8: 260 bytes more,
 * a third of what 100,000 of them take while they are logged.
 */
export function makeEntry(parts: Entry): Entry {
  const { path, size, digest, kind, mediaType, metadata, preview, previewChunk, info, content, remote } = parts
  const entry: Mutable<Entry> = { path, size, digest, kind, mediaType }
  if (content) entry.content = content
  if (preview) entry.preview = preview
  if (previewChunk) entry.previewChunk = previewChunk
  if (metadata) entry.metadata = metadata
  if (info) entry.info = info
  if (remote) entry.remote = remote
  return entry
}

/** The JSON of one entry: see docs/spec.md for the keys. */
export type EntryLine = { readonly [key: string]: JsonValue }
