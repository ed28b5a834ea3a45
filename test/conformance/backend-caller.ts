import { VersionReader } from '../../src/content/version-reader.ts'
import { VersionWriter, type WrittenVersion } from '../../src/content/version-writer.ts'
import { toBase64 } from '../../src/protocol/base64.ts'
import { recordPackName } from '../../src/protocol/chunk-ref.ts'
import { restPrefix, routes } from '../../src/protocol/routes.ts'
import type { CommitReply, CommitRequest, ErrorReply, VersionWire } from '../../src/protocol/shapes.ts'

export type Fetch = (request: Request) => Promise<Response>
type Files = Readonly<Record<string, string | Uint8Array>>
type Extra = Partial<CommitRequest> & { readonly baseVersion?: VersionWire }

const origin = 'http://backend.test'

/** What the suite says to a backend: the protocol, spelled out, without the client. */
export class Caller {
  readonly fetch: Fetch
  readonly workspace: string
  #writes = 0

  constructor(fetch: Fetch, workspace = 'default') {
    this.fetch = fetch
    this.workspace = workspace
  }

  ask(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { body, headers } = options
    return this.fetch(
      new Request(origin + path, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
  }

  /** The JSON of a success; anything else fails the test with what was answered. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await this.ask(method, path, { body })
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${method} ${path} was answered ${reply.status}: ${text}`)
    return JSON.parse(text)
  }

  /** Status and code of a failure. */
  async failure(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; code?: string; sdk: number; msg: string }> {
    const reply = await this.ask(method, path, { body })
    if (reply.status === 200) throw new Error(`${method} ${path} should have failed`)
    const { msg, tidemark, sdk_error_code }: ErrorReply = await reply.json()
    return { status: reply.status, code: tidemark?.code, sdk: sdk_error_code, msg }
  }

  rest<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.json(method, restPrefix + path, body)
  }

  async putPack(id: string, bytes: Uint8Array): Promise<void> {
    const reply = await this.fetch(new Request(origin + routes.pack(id), { method: 'PUT', body: bytes.slice() }))
    if (reply.status !== 200) throw new Error(`PUT pack was answered ${reply.status}: ${await reply.text()}`)
  }

  /** Packs, sent; and what a commit has to say of them. */
  async write(files: Files, base?: VersionReader): Promise<WrittenVersion> {
    const writer = await VersionWriter.open({ sink: { put: (id, bytes) => this.putPack(id, bytes) }, base })
    for (const [path, content] of Object.entries(files)) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      await writer.add({ path, kind: 'file', mediaType: mediaTypeOf(path), cuts: 'content', body: [bytes] })
    }
    return writer.finish()
  }

  request(written: WrittenVersion, { baseVersion: base, ...extra }: Extra = {}): CommitRequest {
    const { digest, size, count, remoteCount, manifest, packs, inlinePack } = written
    return {
      writeId: `write-${this.workspace}-${this.#writes++}-${Math.random().toString(36).slice(2)}`,
      type: 'dataset',
      digest,
      size,
      count,
      remoteCount,
      manifest,
      packs,
      ...(inlinePack && { inlinePack: toBase64(inlinePack) }),
      ...(base && { base: { workspace: base.workspace, name: base.name, index: base.index } }),
      ...extra,
    }
  }

  commit(name: string, request: CommitRequest): Promise<CommitReply> {
    return this.json('POST', routes.versions(this.workspace, name), request)
  }

  async log(name: string, files: Files, extra: Extra = {}): Promise<CommitReply> {
    const base = extra.baseVersion && this.reader(extra.baseVersion)
    return this.commit(name, this.request(await this.write(files, base), extra))
  }

  version(name: string, select = 'latest'): Promise<VersionWire> {
    return this.json('GET', `${routes.versions(this.workspace, name)}?select=${encodeURIComponent(select)}`)
  }

  async range(pack: string, range?: string): Promise<{ reply: Response; bytes: Uint8Array }> {
    const reply = await this.ask('GET', routes.pack(pack), { headers: range === undefined ? {} : { range } })
    return { reply, bytes: new Uint8Array(await reply.arrayBuffer()) }
  }

  reader(wire: VersionWire): VersionReader {
    const read = async (pack: string, offset: number, length: number) => {
      const { reply, bytes } = await this.range(pack, `bytes=${offset}-${offset + length - 1}`)
      if (reply.status !== 206)
        throw new Error(`GET pack was answered ${reply.status}: ${new TextDecoder().decode(bytes)}`)
      return bytes
    }
    const self = recordPackName(wire.workspace, wire.name, wire.index)
    return new VersionReader({ source: { read }, manifest: wire.manifest, self, what: `${wire.name}:v${wire.index}` })
  }

  /** All assets of a version, read through packs and verified. */
  async files(wire: VersionWire): Promise<Record<string, string>> {
    const reader = this.reader(wire)
    const files: Record<string, string> = {}
    for await (const entry of reader.entries()) {
      const pieces: Uint8Array[] = []
      for await (const piece of reader.read(entry)) pieces.push(piece.slice())
      files[entry.path] = await new Blob(pieces.map((piece) => piece.slice())).text()
    }
    return files
  }
}

/** Bytes that no compression makes small, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed >>> 0 || 1
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

function mediaTypeOf(path: string): string {
  return path.endsWith('.txt') ? 'text/plain' : 'application/octet-stream'
}
