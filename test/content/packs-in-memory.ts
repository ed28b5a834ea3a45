import { expect } from 'vitest'
import type { ChunkSource } from '../../src/content/chunk-source.ts'
import type { PackSink } from '../../src/content/pack-writer.ts'
import { VersionReader } from '../../src/content/version-reader.ts'
import { VersionWriter, type WrittenVersion } from '../../src/content/version-writer.ts'
import { NotFoundError } from '../../src/errors.ts'
import { recordPackName } from '../../src/protocol/chunk-ref.ts'
import { sameBytes } from '../bytes.ts'

/** A place for packs with nothing but a Map behind it, which counts what is read. */
export class PacksInMemory implements PackSink, ChunkSource {
  readonly packs = new Map<string, Uint8Array>()
  reads = 0
  #versions = 0

  async put(id: string, bytes: Uint8Array): Promise<void> {
    this.packs.set(id, bytes.slice())
  }

  async read(pack: string, offset: number, length: number): Promise<Uint8Array> {
    this.reads++
    const bytes = this.packs.get(pack)
    if (!bytes) throw new NotFoundError(`No pack ${pack}.`, { code: 'pack-missing' })
    return bytes.slice(offset, offset + length)
  }

  get bytes(): number {
    return [...this.packs.values()].reduce((sum, pack) => sum + pack.length, 0)
  }

  /** Keeps what a commit would keep: the small pack under the name of the record. */
  reader(written: WrittenVersion): VersionReader {
    const index = this.#versions++
    const self = recordPackName('default', 'test', index)
    if (written.inlinePack) this.packs.set(self, written.inlinePack)
    return new VersionReader({ source: this, manifest: written.manifest, self, what: `test:v${index}` })
  }

  /** Logs files as a version and opens it for reading. */
  async log(
    files: Readonly<Record<string, Uint8Array>>,
    options: { base?: VersionReader; deflate?: boolean; pieces?: (bytes: Uint8Array) => Iterable<Uint8Array> } = {},
  ): Promise<{ written: WrittenVersion; version: VersionReader }> {
    const writer = await VersionWriter.open({ sink: this, base: options.base, deflate: options.deflate })
    for (const [path, bytes] of Object.entries(files)) {
      const body = options.pieces?.(bytes) ?? [bytes]
      await writer.add({ path, kind: 'file', mediaType: 'application/octet-stream', cuts: 'content', body })
    }
    const written = await writer.finish()
    return { written, version: this.reader(written) }
  }
}

export async function readAll(version: VersionReader): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {}
  for await (const entry of version.entries()) files[entry.path] = await concat(version.read(entry))
  return files
}

export async function concat(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece.slice())
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The same bytes every time; nothing in them repeats. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed >>> 0 || 1
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

/** Equal files. A matcher that walks megabytes byte by byte takes minutes. */
export function expectSame(found: Record<string, Uint8Array>, expected: Record<string, Uint8Array>): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
  const different = Object.entries(expected).filter(([path, bytes]) => !sameBytes(found[path], bytes))
  expect(different.map(([path]) => path)).toEqual([])
}
