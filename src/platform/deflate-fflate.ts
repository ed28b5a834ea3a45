import { deflateSync, Inflate } from 'fflate'
import type { DeflateLevel } from './deflate.ts'

/** Raw deflate in JavaScript, for browsers without raw streams. */
export function deflatedHere(bytes: Uint8Array, level: DeflateLevel): Uint8Array<ArrayBuffer> {
  return deflateSync(bytes, { level })
}

/** Raw inflate in JavaScript, piece by piece; an Error where the bytes are no such stream. */
export async function* inflatedHere(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = []
  const inflate = new Inflate((piece) => out.push(piece))
  for await (const piece of source) {
    inflate.push(piece, false)
    yield* out.splice(0)
  }
  inflate.push(new Uint8Array(0), true)
  yield* out
}
