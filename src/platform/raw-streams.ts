type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

let able: boolean | undefined

/**
 * Whether the platform deflates and inflates raw streams by itself, as browsers do since 2023 (Chromium 103, Firefox 113, Safari 16.4), and workerd. Asked when it
 * is needed: workerd makes no streams before a request comes.
 */
export function hasRawStreams(): boolean {
  able ??= makesOne()
  return able
}

function makesOne(): boolean {
  try {
    return new DecompressionStream('deflate-raw') !== undefined
  } catch {
    // Not there, or only for zlib and gzip.
    return false
  }
}

/** Raw deflate by the platform, at the level that it chooses. */
export function deflatedThere(source: Source): AsyncGenerator<Uint8Array> {
  return through(new CompressionStream('deflate-raw'), source)
}

/** Raw inflate by the platform; a TypeError where the bytes are no such stream. Whether the stream ended is the caller's to see. */
export function inflatedThere(source: Source): AsyncGenerator<Uint8Array> {
  return through(new DecompressionStream('deflate-raw'), source)
}

async function* through(stream: CompressionStream | DecompressionStream, source: Source): AsyncGenerator<Uint8Array> {
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader()
  const feed = async () => {
    try {
      for await (const piece of source) await writer.write(piece.slice())
      await writer.close()
    } catch (reason) {
      // Thrown to the reader, below.
      await writer.abort(reason).catch(() => undefined)
    }
  }
  const fed = feed()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
    await fed
  }
}
