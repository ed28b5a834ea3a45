import type { Encoded } from '../codecs/codec.ts'
import { openDigester } from '../content/digest.ts'
import { throwIfAborted } from '../errors.ts'

/** A value as a file that is sent whole. */
export interface EncodedFile {
  readonly blob: Blob
  /** SHA-256 of its bytes. */
  readonly digest: string
}

/** Reads what a value became into a Blob: its pieces are gone once the next one is asked for. */
export async function encodedFile({ body, mediaType, release }: Encoded, signal?: AbortSignal): Promise<EncodedFile> {
  const hasher = (await openDigester()).create()
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of body) {
    throwIfAborted(signal)
    hasher.update(piece)
    pieces.push(new Uint8Array(piece))
  }
  release?.()
  return { blob: new Blob(pieces, { type: mediaType }), digest: hasher.hex() }
}
