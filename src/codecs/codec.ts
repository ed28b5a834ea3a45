import type { Pace } from '../platform/pace.ts'
import type { TableRecall } from './table/table-recall.ts'

/** JSON as it is stored: no undefined, no NaN, no class instances. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** What an asset is. Stored with it, and the name of the codec that reads it back. */
export type AssetKind = 'table' | 'json' | 'npz' | 'png' | 'zip' | 'text' | 'file'

/** A small description of an asset for people: what a list or a page shows without reading the asset. `kind` says which shape. */
export type Preview = JsonObject

/** What a value became: bytes, produced once and piece by piece, and what is known about them. */
export interface Encoded {
  readonly kind: AssetKind
  /** With the dot, `.arrow`; empty when the value brought its own name. */
  readonly extension: string
  /** The value's own file name, when it has one (a path, a File, a URL). */
  readonly name?: string
  readonly mediaType: string
  /** Bytes in all, when known before `body` is read: for progress only. */
  readonly size?: number
  /**
   * `content`: the store cuts the bytes where the content says so. `given`: every piece of `body` is one chunk (at most 8 MiB), because the
   * codec knows better where the bytes are likely to stay the same.
   */
  readonly cuts: 'content' | 'given'
  /** Read at most once. A piece is valid until the next one is asked for (its buffer may be reused); the reader never writes to it. */
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** Digests of given pieces that are known from an earlier encoding. */
  readonly known?: KnownPieces
  /** Call after `body` has been read to its end. */
  preview(): Preview | undefined
  /** Facts for the encoding of the next version (a table's boundary column). Call after `body` has been read. */
  info?(): JsonObject | undefined
  /** Its memory may serve the next value: call last, once nothing of it is in use. Left out, it is garbage like any other. */
  release?(): void
}

/** What is known of given pieces from an earlier encoding. While a body is read, it is about the piece that came last. */
export interface KnownPieces {
  last(): string | undefined
  /** Its digest, known or not: SHA-256, hexadecimal. */
  learn(digest: string): void
  /** Called before its bytes go into the hash of the whole: `state` gives that of all before it. */
  before(state: () => HashState): void
  /** Pieces that come first and are as they were, with the state of the hash of the whole behind them. Ask before the body is read. */
  head():
    | { readonly pieces: readonly { readonly digest: string; readonly size: number }[]; readonly state: HashState }
    | undefined
  /** Leaves those pieces out of the body. */
  skip(): void
}

/** A SHA-256 under way. */
export interface HashState {
  copy(): HashState
  update(bytes: Uint8Array): void
  hex(): string
}

/** A stored asset, as a codec reads it. Every byte that comes out was verified against its digest. */
export interface AssetReader {
  readonly path: string
  readonly mediaType: string
  readonly size: number
  /** Half-open range of bytes, clamped to the asset. */
  range(start: number, end: number): Promise<Uint8Array>
  bytes(): Promise<Uint8Array>
  stream(): AsyncIterable<Uint8Array>
}

export interface EncodeOptions {
  /** What `info()` of the version before said, so that the cuts fall in the same places. */
  readonly previous?: JsonObject
  readonly signal?: AbortSignal
  /** Of a table: records with lists or objects in them are refused, since they were meant as JSON. */
  readonly flat?: boolean
  /** Work in slices: for a value that does not change meanwhile. */
  readonly pace?: Pace
  /** Summaries of a table's columns, by name: those of columns known to be as they were, and room for those made now. */
  readonly summaries?: {
    get(column: string): Json | undefined
    set(column: string, summary: Json): unknown
  }
  /** What the encoding before found out about a table in pieces that are the same objects as long as their content is the same. */
  readonly recall?: TableRecall
}

/** Turns values into bytes and back. One object per kind, in a file of its own, registered in `registry.ts`. */
export interface Codec {
  readonly kind: AssetKind
  /** @throws InvalidInputError naming the path inside the value that cannot be stored. Nothing is written then. */
  encode(value: unknown, options?: EncodeOptions): Encoded | Promise<Encoded>
  /** @throws CorruptionError when the bytes are not what their kind promises, however they came to be so. Never evaluates or unpickles. */
  decode(asset: AssetReader): Promise<unknown>
}
