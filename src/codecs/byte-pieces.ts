import {
  AbortedError,
  ConflictError,
  InvalidInputError,
  isTidemarkError,
  NotFoundError,
  PermissionError,
  throwIfAborted,
  UnavailableError,
} from '../errors.ts'
import { describe, isBytes } from './capabilities.ts'

/** Bytes in memory are handed on in views of this size: small enough to hash from the CPU's cache, large enough that the calls do not show. */
const PIECE = 1024 * 1024

/**
 * A view on bytes of any form, without a copy.
 *
 * @throws InvalidInputError `detached-buffer` when the buffer was transferred away; it would look like an empty file.
 */
export function viewBytes(value: Uint8Array | DataView | ArrayBufferLike): Uint8Array {
  try {
    return ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value)
  } catch (cause) {
    throw new InvalidInputError(
      'The bytes were transferred to another thread or stream and are no longer here. Log a copy, or log before the transfer.',
      {
        code: 'detached-buffer',
        cause,
      },
    )
  }
}

export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
}

/** The bytes of a web stream. Leaving early cancels it. Errors of the source are named after `name`. */
export async function* piecesOfStream(
  stream: ReadableStream<unknown>,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal)
  takeOnce(stream, name, stream.locked || isDisturbed(stream))
  const reader = stream.getReader()
  // Otherwise a stalled source would hold an aborted operation until its next piece.
  const stop = () => void reader.cancel(signal?.reason).catch(() => undefined)
  signal?.addEventListener('abort', stop, { once: true })
  let finished = false
  try {
    for (;;) {
      const { done, value } = await readPiece(reader, name)
      throwIfAborted(signal)
      finished = done
      if (done) return
      yield asPiece(value, name)
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    // A source that also fails to stop has nothing to add to why it is being stopped.
    if (!finished) await reader.cancel().catch(() => undefined)
    reader.releaseLock()
  }
}

/** Streams and iterators that were read here. One gives nothing the second time, and says nothing: that must not become an empty file. */
const readHere = new WeakSet<object>()

function takeOnce(source: object, name: string, wasRead: boolean): void {
  if (!wasRead && !readHere.has(source)) {
    readHere.add(source)
    return
  }
  throw new InvalidInputError(
    `${sentence(name)} was read already, or is being read by somebody else. Log a fresh one, log it before reading it, or tee() it.`,
    { code: 'stream-used' },
  )
}

/** No stream says so itself: https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
function isDisturbed(stream: ReadableStream<unknown>): boolean {
  try {
    Reflect.construct(Response, [stream])
    return false
  } catch {
    return true
  }
}

async function readPiece(
  reader: ReadableStreamDefaultReader<unknown>,
  name: string,
): Promise<{ done: boolean; value?: unknown }> {
  try {
    return await reader.read()
  } catch (error) {
    throw sourceError(error, name)
  }
}

/** The bytes of an async iterable, like a Node stream. Leaving early closes it. */
export async function* piecesOfIterable(
  source: AsyncIterable<unknown>,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal)
  try {
    const iterator = source[Symbol.asyncIterator]()
    // What makes another iterator each time can be read again, but for Node's streams.
    const stream = 'readableDidRead' in source
    if (stream || Object.is(iterator, source)) takeOnce(source, name, stream && source.readableDidRead === true)
    for await (const piece of { [Symbol.asyncIterator]: () => iterator }) {
      throwIfAborted(signal)
      yield asPiece(piece, name)
    }
  } catch (error) {
    throw sourceError(error, name)
  }
}

function asPiece(piece: unknown, name: string): Uint8Array {
  if (isBytes(piece)) return viewBytes(piece)
  throw new InvalidInputError(
    `${sentence(name)} gave ${describe(piece)} where bytes were expected. Encode text with TextEncoder first.`,
    {
      code: 'not-bytes',
    },
  )
}

/**
 * What went wrong while a source was read, as one of ours. What a browser says about a File whose file is gone or changed:
 * https://w3c.github.io/FileAPI/#dfn-error-codes
 */
export function sourceError(error: unknown, name: string): unknown {
  if (isTidemarkError(error)) return error
  if (!(error instanceof Error)) return readFailed(String(error), name, error)
  switch (error.name) {
    case 'AbortError':
      return new AbortedError(`Reading ${name} was aborted.`, { code: 'aborted', cause: error })
    case 'NotReadableError':
      return new ConflictError(
        `${sentence(name)} changed since it was chosen, or can no longer be read. Choose it again.`,
        {
          code: 'file-changed',
          cause: error,
        },
      )
    case 'NotAllowedError':
    case 'SecurityError':
      return new PermissionError(`${sentence(name)} may no longer be read. Ask for permission again.`, {
        code: 'file-unreadable',
        cause: error,
      })
    case 'NotFoundError':
      // WebKit says so of a file that was changed, too.
      return new NotFoundError(`${sentence(name)} is no longer there as it was chosen. Choose it again.`, {
        code: 'file-vanished',
        cause: error,
      })
    default:
      return readFailed(error.message, name, error)
  }
}

function readFailed(reason: string, name: string, cause: unknown): UnavailableError {
  return new UnavailableError(
    `${sentence(name)} could not be read to its end: ${reason}. Log it again from a fresh source.`,
    {
      code: 'read-failed',
      cause,
    },
  )
}

/** With a capital letter: `the stream` where a name is missing. */
function sentence(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
