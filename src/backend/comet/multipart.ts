import { InvalidInputError } from '../../errors.ts'
import { joined } from '../../platform/joined.ts'
import { requestsTakeStreams } from '../../platform/request-streams.ts'

/** One part of a form. Its bytes must be read, or left, before the next part is asked for. */
export interface Part {
  readonly name: string
  readonly fileName: string | undefined
  readonly type: string | undefined
  readonly body: AsyncGenerator<Uint8Array, undefined>
}

const largestHeaders = 16 * 1024
const mostParts = 64

/**
 * The parts of a multipart form as they arrive: never more than a piece of it in memory.
 *
 * @throws InvalidInputError `invalid-multipart` when it is none, or is cut off.
 */
export async function* readMultipart(request: Request): AsyncGenerator<Part, undefined> {
  const type = request.headers.get('content-type') ?? ''
  const boundary = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(type)
  if (!boundary) throw invalid(`its type is '${type.slice(0, 100)}', it must be multipart/form-data with a boundary`)
  const body = requestsTakeStreams() ? request.body : (await request.blob()).stream()
  const source = new Source(body, encode(`\r\n--${boundary[1] ?? boundary[2]}`))
  try {
    // As if a line had ended before: the first boundary is then like the others.
    source.unread(encode('\r\n'))
    await drain(source.untilDelimiter())
    for (let count = 0; await source.beginsPart(); count++) {
      if (count >= mostParts) throw invalid(`it has more than ${mostParts} parts`)
      const headers = headersOf(await source.headers())
      const body = source.untilDelimiter()
      yield { ...headers, body }
      await drain(body)
    }
  } finally {
    await source.close()
  }
}

/** The text of a part, never more than `limit` bytes of it. */
export async function textOfPart({ name, body }: Part, limit: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  try {
    for await (const piece of body) {
      size += piece.length
      if (size > limit) throw invalid(`its part '${name}' is longer than ${limit} bytes`)
      text += decoder.decode(piece, { stream: true })
    }
    return text + decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError) throw invalid(`its part '${name}' is not UTF-8`, cause)
    throw cause
  }
}

/** Bytes of a body, and where the delimiter is in them. */
class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #delimiter: Uint8Array
  /** How far a search may move on when the byte under the delimiter's last is this one (Horspool). */
  readonly #shift: Uint8Array
  #held: Uint8Array = new Uint8Array(0)
  #ended = false

  constructor(body: ReadableStream<Uint8Array> | null, delimiter: Uint8Array) {
    this.#reader = body?.getReader()
    this.#delimiter = delimiter
    this.#shift = new Uint8Array(256).fill(delimiter.length)
    for (let at = 0; at < delimiter.length - 1; at++) this.#shift[delimiter[at]] = delimiter.length - 1 - at
  }

  unread(bytes: Uint8Array): void {
    this.#held = joined([bytes, this.#held])
  }

  async close(): Promise<void> {
    // The sender may be gone, and has nothing to add.
    await this.#reader?.cancel().catch(() => undefined)
  }

  /** Everything up to the delimiter, which is passed over. */
  async *untilDelimiter(): AsyncGenerator<Uint8Array, undefined> {
    const { length } = this.#delimiter
    for (;;) {
      const at = this.#find(this.#held)
      if (at >= 0) {
        const piece = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + length)
        if (piece.length > 0) yield piece
        return
      }
      // The delimiter may have begun in what is left.
      const sure = this.#held.length - length + 1
      if (sure > 0) {
        const piece = this.#held.subarray(0, sure)
        this.#held = this.#held.subarray(sure)
        yield piece
      }
      if (!(await this.#more())) throw invalid('it ends before its last part does')
    }
  }

  /** What follows a delimiter: another part, or the end. */
  async beginsPart(): Promise<boolean> {
    while (this.#held.length < 2) if (!(await this.#more())) throw invalid('it ends within a delimiter')
    const [one, two] = this.#held
    if (one === dash && two === dash) return false
    let at = 0
    // Blanks may follow.
    for (;;) {
      while (this.#held.length < at + 2) if (!(await this.#more())) throw invalid('it ends within a delimiter')
      if (this.#held[at] === 0x0d && this.#held[at + 1] === 0x0a) break
      if ((this.#held[at] !== 0x20 && this.#held[at] !== 0x09) || at > 100)
        throw invalid('its boundary stands within a line')
      at++
    }
    this.#held = this.#held.subarray(at + 2)
    return true
  }

  async headers(): Promise<string> {
    for (;;) {
      const end = endOfHeaders(this.#held)
      if (end >= 0) {
        const text = new TextDecoder().decode(this.#held.subarray(0, end))
        this.#held = this.#held.subarray(end)
        // Without any, the empty line follows at once.
        this.#held = this.#held.subarray(end === 0 ? 2 : 4)
        return text
      }
      if (this.#held.length > largestHeaders) throw invalid('a part has too many headers')
      if (!(await this.#more())) throw invalid('it ends within the headers of a part')
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended || !this.#reader) return false
    const { done, value } = await this.#reader.read()
    if (done) {
      this.#ended = true
      return false
    }
    this.#held = this.#held.length === 0 ? value : joined([this.#held, value])
    return true
  }

  #find(bytes: Uint8Array): number {
    const delimiter = this.#delimiter
    const last = delimiter.length - 1
    const end = bytes.length - delimiter.length
    const shift = this.#shift
    for (let at = 0; at <= end; at += shift[bytes[at + last]]) {
      let back = last
      while (back >= 0 && bytes[at + back] === delimiter[back]) back--
      if (back < 0) return at
    }
    return -1
  }
}

const dash = 0x2d

function endOfHeaders(bytes: Uint8Array): number {
  if (bytes[0] === 0x0d && bytes[1] === 0x0a) return 0
  for (let at = 0; at + 3 < bytes.length; at++)
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a) return at
  return -1
}

function headersOf(text: string): Omit<Part, 'body'> {
  let name: string | undefined
  let fileName: string | undefined
  let type: string | undefined
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    const field = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (field === 'content-type') type = value
    if (field !== 'content-disposition') continue
    const parameters = parametersOf(value)
    name = parameters.get('name')
    fileName = extended(parameters.get('filename*')) ?? parameters.get('filename')
  }
  if (name === undefined) throw invalid('a part has no name')
  return { name, fileName, type }
}

/** The parameters of a header, each by its name in lower case. */
function parametersOf(value: string): Map<string, string> {
  const found = new Map<string, string>()
  // One after another: what stands in quotes is no parameter.
  for (const [, name, quoted, plain] of value.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g))
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), quoted === undefined ? plain : unquoted(quoted))
  return found
}

/** Browsers and curl write quotes and line ends as %22, %0D and %0A; others put a backslash before them. */
function unquoted(text: string): string {
  return text
    .replace(/\\(["\\])/g, '$1')
    .replace(/%22/gi, '"')
    .replace(/%0D/gi, '\r')
    .replace(/%0A/gi, '\n')
}

/** RFC 8187: filename*=UTF-8''na%C3%AFve */
function extended(value: string | undefined): string | undefined {
  const match = /^utf-8'[^']*'(.*)/i.exec(value ?? '')
  if (!match) return undefined
  try {
    return decodeURIComponent(match[1])
  } catch (cause) {
    throw invalid('the name of a file is not encoded as it says', cause)
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of body) void piece
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function invalid(reason: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`The form cannot be understood: ${reason}.`, { code: 'invalid-multipart', cause })
}
