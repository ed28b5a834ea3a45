/** A piece of this size or more is a chunk of its own; smaller neighbours share one, since a chunk's entry costs about 50 bytes itself. */
const ALONE_BYTES = 4 * 1024
/** A chunk may have 8 MiB; cut well below that, a column of very long cells still changes in parts. */
const MOST_BYTES = 4 * 1024 * 1024

/** Puts small neighbours together and cuts what is too large. Only sizes decide, so equal neighbourhoods give equal pieces. */
export class PieceMerger {
  #small: Uint8Array[] = [];

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    if (bytes.byteLength < ALONE_BYTES) {
      if (bytes.byteLength > 0) this.#small.push(bytes)
      return
    }
    yield* this.flush()
    for (let at = 0; at < bytes.byteLength; at += MOST_BYTES) yield bytes.subarray(at, at + MOST_BYTES)
  }

  /** Call before what was added is overwritten. */
  *flush(): Generator<Uint8Array> {
    const parts = this.#small
    if (parts.length === 0) return
    this.#small = []
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
    let at = 0
    for (const part of parts) {
      joined.set(part, at)
      at += part.byteLength
    }
    for (let start = 0; start < joined.byteLength; start += MOST_BYTES) yield joined.subarray(start, start + MOST_BYTES)
  }
}
