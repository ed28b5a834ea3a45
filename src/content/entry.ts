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

/** The JSON of one entry: see docs/spec.md for the keys. */
export type EntryLine = { readonly [key: string]: JsonValue }
