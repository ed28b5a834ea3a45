import type { ChunkSource } from '../../content/chunk-source.ts'
import { openDigester } from '../../content/digest.ts'
import type { Entry } from '../../content/entry.ts'
import { VersionReader } from '../../content/version-reader.ts'
import { type AssetInput, VersionWriter, type WrittenVersion } from '../../content/version-writer.ts'
import { ConflictError, UnavailableError } from '../../errors.ts'
import { isPackId, parseChunkRef } from '../../protocol/chunk-ref.ts'
import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import { Packs } from '../collection/packs.ts'
import { type StoredChunks, storedChunks } from '../collection/stored-chunks.ts'
import { eachOf } from '../each-of.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { recordShape } from '../shape.ts'
import { keys, placeText, refToJson } from './artifact-records.ts'

/** An asset that came by itself: a version of one asset, with a manifest of its own. */
export interface OpenAsset {
  readonly entry: Entry
  readonly reader: VersionReader
  /** The small pack beside it holds something of it. */
  readonly isInline: boolean
  readonly key: string
}

/** An asset whose bytes are stored, and that nothing refers to yet. */
export class HeldAsset {
  readonly place: ArtifactPlace
  readonly index: number
  readonly writer: VersionWriter
  readonly entry: Entry

  constructor(place: ArtifactPlace, index: number, writer: VersionWriter, entry: Entry) {
    this.place = place
    this.index = index
    this.writer = writer
    this.entry = entry
  }
}

// Stands for the small pack of such a version: names of packs never begin so.
const own = '!'

/** Assets of versions that are not closed yet, one record each, under `open/`. */
export class OpenAssets {
  readonly #parts: Pick<Services, 'records' | 'condemned' | 'versions'>
  readonly #packs: Packs
  readonly #chunks: StoredChunks

  constructor(services: Pick<Services, 'records' | 'condemned' | 'versions' | 'options'>) {
    this.#parts = services
    this.#packs = new Packs(services)
    this.#chunks = storedChunks(services)
  }

  /** Stores the bytes of an asset while they arrive. */
  async hold(
    place: ArtifactPlace,
    index: number,
    asset: Pick<AssetInput, 'path' | 'mediaType' | 'body'>,
    signal?: AbortSignal,
  ): Promise<HeldAsset> {
    const sink = { put: (id: string, bytes: Uint8Array) => this.#packs.put(id, bytes, signal) }
    const writer = await VersionWriter.open({ sink, what: `${place.name}:v${index}`, ...(signal && { signal }) })
    try {
      return new HeldAsset(place, index, writer, await writer.add({ ...asset, kind: 'file', cuts: 'content' }))
    } catch (error) {
      await writer.abandon()
      throw error
    }
  }

  async holdRemote(
    place: ArtifactPlace,
    index: number,
    { path, uri, mediaType }: { path: string; uri: string; mediaType: string },
  ): Promise<HeldAsset> {
    const sink = { put: (id: string, bytes: Uint8Array) => this.#packs.put(id, bytes) }
    const writer = await VersionWriter.open({ sink, what: `${place.name}:v${index}` })
    return new HeldAsset(place, index, writer, writer.addRemote({ path, mediaType, reference: { uri, synced: false } }))
  }

  /**
   * Makes it an asset of its version.
   *
   * @throws ConflictError `asset-exists` when there is another at that path, unless it is to be replaced.
   */
  async add(held: HeldAsset, metadata: Metadata | undefined, overwrite: boolean): Promise<Entry> {
    const { records } = this.#parts
    const { place, index, writer, entry } = held
    let written: WrittenVersion
    try {
      written = await writer.finish()
    } catch (error) {
      await writer.abandon()
      throw error
    }
    const key = await this.#keyOf(place, index, entry.path)
    const json: JsonValue = {
      format: 1,
      workspace: place.workspace,
      name: place.name,
      index,
      path: entry.path,
      digest: entry.digest,
      manifest: refToJson(written.manifest),
      metadata: metadata ?? null,
      packs: [...written.packs],
    }
    for (;;) {
      const known = await records.read(key, key)
      if (known && !overwrite) {
        // Sent again, because the answer was lost.
        if (recordShape(known.json, key).text('digest') === entry.digest) break
        throw taken(place, entry.path)
      }
      if (await records.swap(key, known, json, written.inlinePack)) break
    }
    await this.#keepFromCollection(written.packs, key)
    return entry
  }

  /** In the order of their records: the caller sorts. */
  async list(place: ArtifactPlace, index: number): Promise<OpenAsset[]> {
    const found: OpenAsset[] = []
    const folder = keys.open(place, index)
    for await (const entries of this.#pages(folder)) found.push(...(await eachOf(entries, (key) => this.#open(key))))
    return found
  }

  async find(place: ArtifactPlace, index: number, path: string): Promise<OpenAsset | undefined> {
    const key = await this.#keyOf(place, index, path)
    return (await this.#parts.records.read(key, key)) && this.#open(key)
  }

  /** The manifest of all of them together. */
  async write(assets: readonly OpenAsset[], what: string): Promise<WrittenVersion> {
    const writer = await VersionWriter.open({ sink: { put: (id, bytes) => this.#packs.put(id, bytes) }, what })
    try {
      for (const { entry, reader, isInline } of assets) {
        if (entry.remote || !isInline) writer.keep(entry)
        else {
          const { path, kind, mediaType, metadata } = entry
          await writer.add({ path, kind, mediaType, metadata, cuts: 'content', body: reader.read(entry) })
        }
      }
      const written = await writer.finish()
      const needed = new Set(written.packs)
      for (const { key } of assets) for (const pack of await this.#packsOf(key)) needed.add(pack)
      return { ...written, packs: [...needed] }
    } catch (error) {
      await writer.abandon()
      throw error
    }
  }

  async delete(place: ArtifactPlace, index: number): Promise<void> {
    for await (const found of this.#pages(keys.open(place, index)))
      await eachOf(found, (key) => this.#parts.records.store.delete(key))
  }

  /** All packs that open versions refer to. `tidy`: removes what is left of versions that are not open any more. */
  async packs({ tidy }: { tidy: boolean }): Promise<Set<string>> {
    const { versions, records } = this.#parts
    const needed = new Set<string>()
    const states = new Map<string, boolean>()
    for await (const found of this.#pages(keys.opens))
      await eachOf(found, async (key) => {
        const [, workspace, name, number] = key.split('/')
        const version = `${workspace}/${name}/${number}`
        const isOpen =
          states.get(version) ??
          (await versions.read({ workspace, name }, Number(number)))?.record.draft?.state === 'OPEN'
        states.set(version, isOpen)
        if (isOpen) for (const pack of await this.#packsOf(key)) needed.add(pack)
        else if (tidy) await records.store.delete(key)
      })
    return needed
  }

  async *#pages(prefix: string): AsyncGenerator<string[]> {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#parts.records.store.list(prefix, after === undefined ? {} : { after })
      yield page.entries.map(({ key }) => key)
      after = page.next
    }
  }

  async #open(key: string): Promise<OpenAsset> {
    const held = await this.#parts.records.read(key, key)
    if (!held) throw gone(key)
    const shape = recordShape(held.json, key)
    const manifest = shape.has('manifest') ? parseChunkRef(shape.raw('manifest')) : null
    const path = shape.text('path')
    if (!manifest) throw shape.refuse("'manifest' is not a reference")
    const source: ChunkSource = {
      read: async (pack, offset, length, signal) =>
        pack === own
          ? held.attachment.subarray(offset, offset + length)
          : this.#chunks.read(pack, offset, length, signal),
    }
    const reader = new VersionReader({ source, manifest, self: own, what: key })
    const entry = await reader.entry(path)
    if (!entry) throw shape.refuse('its asset is not the one it names')
    const metadata = shape.optionalObject('metadata')
    return { entry: metadata ? { ...entry, metadata } : entry, reader, key, isInline: held.attachment.length > 0 }
  }

  async #packsOf(key: string): Promise<string[]> {
    const held = await this.#parts.records.read(key, key)
    return held ? recordShape(held.json, key).texts('packs').filter(isPackId) : []
  }

  /** The other half of the protocol in condemned.ts: the record is there, so a collection that begins now keeps them. One before may have them on its list, or have deleted them. */
  async #keepFromCollection(needed: readonly string[], key: string): Promise<void> {
    const { condemned, records } = this.#parts
    const list = await condemned.read()
    for (const pack of needed) {
      if (await this.#packs.isSafe(pack, list.packs)) continue
      try {
        await this.#packs.put(pack, (await this.#packs.read(pack)).bytes)
      } catch (cause) {
        await records.store.delete(key)
        throw new UnavailableError(
          'Garbage was being collected, and took an older copy of this asset. Send it again.',
          {
            code: 'collection-running',
            cause,
          },
        )
      }
    }
  }

  async #keyOf(place: ArtifactPlace, index: number, path: string): Promise<string> {
    const digester = await openDigester()
    return `${keys.open(place, index)}${digester.hex(new TextEncoder().encode(path)).slice(0, 32)}`
  }
}

function taken(place: ArtifactPlace, path: string): ConflictError {
  return new ConflictError(
    `There is another asset '${path}' in this version of ${placeText(place)} already. Send it with overwrite, or under another name.`,
    { code: 'asset-exists', fields: { path } },
  )
}

function gone(key: string): ConflictError {
  return new ConflictError(`The version was closed meanwhile: ${key} is no more. Read it again.`, {
    code: 'version-closed',
  })
}
