import { CorruptionError } from '../errors.ts'
import { inflateRaw } from '../platform/deflate.ts'
import type { ChunkRef, PackName } from '../protocol/chunk-ref.ts'
import { type Digester, openDigester } from './digest.ts'
import { unpackDelta } from './packed-delta.ts'

/** Where stored bytes come from: a backend's stores, or the network. */
export interface ChunkSource {
  /**
   * Exactly `length` bytes of the pack, from `offset`.
   *
   * @throws NotFoundError `pack-missing`; CorruptionError when the pack is shorter.
   */
  read(pack: PackName, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>
}

/**
 * The raw content of one chunk, verified.
 *
 * @param what names the asset or version it belongs to, for messages.
 * @throws CorruptionError `chunk-damaged` when the stored bytes do not give the content that the reference's digest names.
 */
export async function readChunk(
  source: ChunkSource,
  ref: ChunkRef,
  what: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { base } = ref
  const [stored, storedBase] = await Promise.all([
    source.read(ref.pack, ref.offset, ref.length, signal),
    base && source.read(base.pack, base.offset, base.length, signal),
  ])
  return openChunk(ref, stored, storedBase, what)
}

/** The content of a chunk from its stored form, verified; `storedBase` is the stored form of its base when it is a delta. */
export async function openChunk(
  ref: ChunkRef,
  stored: Uint8Array,
  storedBase: Uint8Array | undefined,
  what: string,
): Promise<Uint8Array> {
  const digester = await openDigester()
  let content: Uint8Array
  try {
    // A base is not verified by itself: what is made of it is.
    content = await decode(ref, stored, ref.base && storedBase && (await decode(ref.base, storedBase, undefined)))
  } catch (cause) {
    throw damaged(await blamed(ref, storedBase, digester), what, cause)
  }
  if (!isContent(ref, content, digester)) throw damaged(await blamed(ref, storedBase, digester), what)
  return content
}

/** Of a delta and its base, the one that is not what was written. */
async function blamed(ref: ChunkRef, storedBase: Uint8Array | undefined, digester: Digester): Promise<ChunkRef> {
  const { base } = ref
  if (!base || !storedBase) return ref
  try {
    return isContent(base, await decode(base, storedBase, undefined), digester) ? ref : base
  } catch {
    return base
  }
}

function isContent({ size, digest }: ChunkRef, content: Uint8Array, digester: Digester): boolean {
  return content.length === size && digester.hex(content) === digest
}

async function decode(ref: ChunkRef, stored: Uint8Array, base: Uint8Array | undefined): Promise<Uint8Array> {
  if (ref.encoding === 'raw') return stored
  if (ref.encoding === 'deflate') return inflateRaw(stored, ref.size)
  if (!base) throw new RangeError('a delta without its base')
  return unpackDelta(base, stored, ref.size)
}

function damaged(ref: ChunkRef, what: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    `${what} is damaged: chunk ${ref.digest} in pack ${ref.pack} is not what was written. Restore the pack from a copy of the store.`,
    { code: 'chunk-damaged', fields: { what, chunk: ref.digest, pack: ref.pack }, cause },
  )
}
