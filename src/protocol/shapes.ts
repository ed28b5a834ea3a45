import type { ChunkRef } from './chunk-ref.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type Metadata = { readonly [key: string]: JsonValue }

/** OPEN: being written; CLOSED: complete, immutable; ERROR: given up. Comet's words. */
export type VersionState = 'OPEN' | 'CLOSED' | 'ERROR'

/** One version of an artifact, as every route of ours gives it. */
export interface VersionWire {
  readonly artifactId: string
  readonly versionId: string
  readonly workspace: string
  readonly project: string | null
  readonly name: string
  readonly type: string
  readonly description: string | null
  /** v0, v1, ... without gaps, never used again. */
  readonly index: number
  /** Semantic version, `1.0.0`. */
  readonly version: string
  readonly aliases: readonly string[]
  readonly artifactTags: readonly string[]
  readonly versionTags: readonly string[]
  readonly metadata: Metadata | null
  /** SHA-256 over the sorted `path, digest` lines: see docs/spec.md. */
  readonly digest: string
  /** Bytes of all assets, remote ones not counted. */
  readonly size: number
  readonly count: number
  readonly remoteCount: number
  readonly state: VersionState
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The experiment that logged it. */
  readonly experimentKey: string | null
  readonly parent: number | null
  /** Root page of the manifest; null for a version without assets. `*` is this version's own small pack. */
  readonly manifest: ChunkRef | null
  /** The small pack inside the record, base64, when there is one. Left out of lists. */
  readonly inlinePack?: string
}

/** What the client sends to create a version: everything it refers to is stored already. The backend's one conditional write follows. */
export interface CommitRequest {
  /** Made once per intended version: a commit that is sent again is recognised by it and has one effect. */
  readonly writeId: string
  readonly experimentKey?: string
  readonly project?: string
  readonly type: string
  readonly description?: string
  /** Semantic version wanted; the next major when left out. */
  readonly version?: string
  readonly aliases?: readonly string[]
  readonly versionTags?: readonly string[]
  readonly metadata?: Metadata
  readonly digest: string
  /** There is something new that the digest does not tell: an asset of another kind or media type, or with other metadata, than in the latest version. */
  readonly assetsDiffer?: boolean
  readonly size: number
  readonly count: number
  readonly remoteCount: number
  readonly manifest: ChunkRef | null
  /** Pack objects (64 hexadecimal digits) that this version needs and that may be new. */
  readonly packs: readonly string[]
  /** At most `largestInlinePack` bytes, base64. */
  readonly inlinePack?: string
  /** The version the content was compared with: its packs are needed too. */
  readonly base?: { readonly workspace: string; readonly name: string; readonly index: number }
}

export interface CommitReply {
  readonly version: VersionWire
  /** False when the content, and all beside it, was equal to the latest version. */
  readonly created: boolean
}

/** One artifact in a list. */
export interface ArtifactWire {
  readonly artifactId: string
  readonly workspace: string
  readonly name: string
  readonly type: string
  readonly description: string | null
  readonly tags: readonly string[]
  readonly aliases: Readonly<Record<string, number>>
  /** Index of the newest closed version; null when all versions were deleted. */
  readonly latest: number | null
  /** Versions that there are, failed and open ones included. */
  readonly versions: number
  /** Above the indexes of all there ever were. */
  readonly next?: number
}

export interface PageReply<Item> {
  readonly items: readonly Item[]
  /** Pass as `after` for the next page; absent on the last. */
  readonly next?: string
}

export interface CapabilitiesReply {
  readonly tidemark: 1
  /** Bytes of the largest pack accepted. */
  readonly largestPack: number
  readonly largestInlinePack: number
  /** Entries in one batch of what an experiment logs; absent where batches cannot be sent. */
  readonly largestBatch?: number
  readonly largestBatchBytes?: number
}

/** Which of these packs the server has not got. */
export interface HaveRequest {
  /** At most 4,096. */
  readonly packs: readonly string[]
}

export interface HaveReply {
  readonly missing: readonly string[]
}

/** An error on the wire: Comet's envelope, and ours in `tidemark`. */
export interface ErrorReply {
  readonly msg: string
  /** The HTTP status. */
  readonly code: number
  readonly data: null
  readonly sdk_error_code: number
  readonly tidemark?: {
    readonly category: string
    readonly code: string
    readonly fields: Readonly<Record<string, unknown>>
  }
}

/** What a collection freed. */
export interface CollectReply {
  readonly packsDeleted: number
  readonly packsRewritten: number
  readonly bytesFreed: number
  readonly packsKept: number
}

/** Packs are at most this large: one PUT, one write, one lost transfer. */
export const largestPack = 8 * 1024 * 1024

/** A pack of at most this size travels inside the version record: no object of its own for a small dict or a small edit. */
export const largestInlinePack = 8 * 1024
