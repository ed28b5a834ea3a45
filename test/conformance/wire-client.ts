import { expect } from 'vitest'

export type Fetch = (request: Request) => Promise<Response>

export type Json = Record<string, unknown>

/** Sends what Comet's R client sends: its headers, its way of writing lists, booleans and numbers; and believes in nothing but 200. */
export class WireClient {
  readonly #fetch: Fetch
  readonly #base: string
  readonly #key: string

  constructor(fetch: Fetch, base: string, key = 'any-key') {
    this.#fetch = fetch
    this.#base = base
    this.#key = key
  }

  get headers(): Record<string, string> {
    return {
      authorization: this.#key,
      'user-agent': 'Comet API for R cometr/0.4.0',
      accept: 'application/json, text/xml, application/xml, */*',
    }
  }

  async reply(method: string, path: string, init: RequestInit = {}, prefix = '/api/rest/v2'): Promise<Response> {
    const headers = { ...this.headers, ...Object.fromEntries(new Headers(init.headers)) }
    return this.#fetch(new Request(`${this.#base}${prefix}${path}`, { ...init, method, headers }))
  }

  async get<T = Json>(path: string, query: Record<string, string | number | boolean | undefined> = {}): Promise<T> {
    return this.#parsed(await this.reply('GET', path + queryText(query)))
  }

  /** Some of R's requests ask for two slashes. */
  async post<T = Json>(path: string, body: Json): Promise<T> {
    const init = { headers: { 'content-type': 'application/json' }, body: writeJson(body) }
    return this.#parsed(await this.reply('POST', path, init, '//api/rest/v2'))
  }

  async upload(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    parts: { file?: { name: string; type: string; bytes: Uint8Array }; link?: string; metadata?: string },
  ): Promise<Json> {
    return this.#parsed(await this.uploadReply(path, query, parts))
  }

  uploadReply(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    parts: { file?: { name: string; type: string; bytes: Uint8Array }; link?: string; metadata?: string },
  ): Promise<Response> {
    const { body, boundary } = multipart(parts)
    return this.reply('POST', path + queryText(query), {
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(body.length) },
      body: body.slice(),
    })
  }

  async bytes(path: string, query: Record<string, string>): Promise<{ type: string; bytes: Uint8Array }> {
    const reply = await this.reply('GET', path + queryText(query))
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
    return { type: reply.headers.get('content-type') ?? '', bytes: new Uint8Array(await reply.arrayBuffer()) }
  }

  async failure(reply: Promise<Response>): Promise<{ status: number; sdk: number; msg: string; code: unknown }> {
    const { status, ...rest } = await reply.then(async (one) => ({ status: one.status, json: await one.json() }))
    const { msg, sdk_error_code: sdk, tidemark, data } = rest.json
    expect(status).not.toBe(200)
    expect(data).toBeNull()
    expect(typeof msg).toBe('string')
    expect(msg).not.toMatch(/\bat .*:\d+:\d+/)
    return { status, sdk, msg, code: tidemark?.code }
  }

  /** What is answered to a body that is refused. */
  refusal(path: string, body: unknown): ReturnType<WireClient['failure']> {
    const init = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return this.failure(this.reply('POST', path, init))
  }

  async #parsed<T>(reply: Response): Promise<T> {
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`answered ${reply.status}: ${text}`)
    expect(reply.headers.get('content-type')).toMatch(/^application\/json(;|$)/)
    return JSON.parse(text)
  }
}

/** As R does: nothing that is NULL or empty travels, a list of one is the one, `</` is escaped; an empty body is `[]`. */
function writeJson(body: Json): string {
  const sent = Object.entries(body).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  if (sent.length === 0) return '[]'
  const unboxed = sent.map(([name, value]) => [name, Array.isArray(value) && value.length === 1 ? value[0] : value])
  return JSON.stringify(Object.fromEntries(unboxed)).replaceAll('</', '<\\/')
}

function queryText(query: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return []
    return [`${name}=${encodeURIComponent(typeof value === 'boolean' ? String(value).toUpperCase() : String(value))}`]
  })
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

export function multipart(parts: {
  file?: { name: string; type: string; bytes: Uint8Array }
  link?: string
  metadata?: string
}): { body: Uint8Array; boundary: string } {
  const boundary = '------------------------d74496d66958873e'
  const encoder = new TextEncoder()
  const pieces: Uint8Array[] = []
  const text = (line: string) => pieces.push(encoder.encode(line))
  if (parts.file) {
    const { name, type, bytes } = parts.file
    text(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
    )
    pieces.push(bytes)
    text('\r\n')
  }
  for (const name of ['link', 'metadata'] as const)
    if (parts[name] !== undefined)
      text(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${parts[name]}\r\n`)
  text(`--${boundary}--\r\n`)
  const body = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return { body, boundary }
}
