/** How a chunk lies in its pack. `delta`: copy and insert instructions against `base`, itself never a delta. */
export type ChunkEncoding = 'raw' | 'deflate' | 'delta'

/**
 * Where some bytes are and how to know them again. The digest is that of the raw content; the rest says how to get it and may differ between
 * two references to the same content.
 */
export interface ChunkRef {
  /** SHA-256 of the raw content, 64 hexadecimal digits. */
  readonly digest: string
  /** Bytes of raw content. */
  readonly size: number
  readonly pack: PackName
  /** Where the stored form begins in the pack, in bytes. */
  readonly offset: number
  /** Bytes of the stored form. */
  readonly length: number
  readonly encoding: ChunkEncoding
  /** For a delta: the full chunk it is applied to. */
  readonly base?: ChunkRef
}

/**
 * Which pack: 64 hexadecimal digits name a pack object; `@workspace/name:3` is the small pack inside version record v3 of that artifact; `*` is the
 * pack in which the reference itself is stored.
 */
export type PackName = string

export const ownPack: PackName = '*'

/** The name of the small pack inside a version record. */
export function recordPackName(workspace: string, name: string, index: number): PackName {
  return `@${workspace}/${name}:${index}`
}

/** Undoes `recordPackName`; `undefined` when the name is not of that form. */
export function parseRecordPackName(pack: PackName): { workspace: string; name: string; index: number } | undefined {
  const match = /^@([^/:]+)\/([^/:]+):(0|[1-9]\d{0,9})$/.exec(pack)
  return match ? { workspace: match[1], name: match[2], index: Number(match[3]) } : undefined
}

/** True for the name of a pack object. */
export function isPackId(pack: PackName): boolean {
  return /^[0-9a-f]{64}$/.test(pack)
}

const encodings: readonly ChunkEncoding[] = ['raw', 'deflate', 'delta']

/** Checks a reference that came from outside (the wire, a page); `undefined` when it is not one. */
export function parseChunkRef(value: unknown, depth = 0): ChunkRef | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { digest, size, pack, offset, length, encoding, base }: Partial<Record<keyof ChunkRef, unknown>> = value
  if (typeof digest !== 'string' || !isPackId(digest)) return undefined
  if (!isCount(size) || !isCount(offset) || !isCount(length)) return undefined
  if (typeof pack !== 'string' || !(pack === ownPack || isPackId(pack) || parseRecordPackName(pack))) return undefined
  const known = encodings.find((one) => one === encoding)
  if (!known) return undefined
  const ref = { digest, size, pack, offset, length, encoding: known }
  if (known !== 'delta') return base === undefined ? ref : undefined
  const parsed = depth === 0 ? parseChunkRef(base, depth + 1) : undefined
  return parsed ? { ...ref, base: parsed } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
