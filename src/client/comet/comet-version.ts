import { openDigester } from '../../content/digest.ts'
import type { Entry } from '../../content/entry.ts'
import type { ReadOptions, VersionReading } from '../../content/version-reading.ts'
import { versionDigest } from '../../content/version-writer.ts'
import { CorruptionError, isTidemarkError, NotFoundError } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Metadata, VersionWire } from '../../protocol/shapes.ts'
import { ahead } from '../ahead.ts'
import { resumedBytes } from '../api/resumed-bytes.ts'
import type { Api } from '../api.ts'
import type { OpenedVersion } from '../versions/open-version.ts'
import { uncounted, type VersionPlace, versionLabel } from '../versions.ts'
import { cometVersions, type ListedVersion } from './comet-versions.ts'
import {
  type CometEntry,
  type CometFile,
  type CometVersion,
  sortEntries,
  toEntry,
  toVersionWire,
} from './comet-wire.ts'

// As many as browsers open to one host.
const readsAhead = 6

// What is read ahead is held: larger assets are read when it is their turn.
const largestAhead = 1024 * 1024

export interface CometContext {
  readonly experimentKey?: string
  /** Noted as the one that uses the version. */
  readonly consumerExperimentKey?: string
  /** The versions of the artifact, where they were asked for already. */
  readonly known?: readonly ListedVersion[]
  readonly signal?: AbortSignal
}

/** @throws NotFoundError `artifact-not-found`, `version-not-found` */
export async function openCometVersion(
  api: Api,
  place: VersionPlace,
  context: CometContext = {},
): Promise<OpenedVersion> {
  const { workspace, name, select } = place
  const named = { artifactName: name, workspace }
  try {
    return await open(api, { ...named, versionOrAlias: select }, context)
  } catch (error) {
    // Comet counts no versions: v3 is an alias there like any other, and else a place in the list.
    const index = /^v(\d+)$/.exec(select ?? '')?.[1]
    if (index === undefined || !isTidemarkError(error) || error.code !== 'version-not-found') throw error
    const known = context.known ?? (await cometVersions(api, place, context.signal))
    const found = known?.[Number(index)]
    if (!found) throw error
    return open(api, { ...named, versionOrAlias: found.version }, { ...context, known })
  }
}

/** By its id, which is known to whoever made it, also while it is not closed. */
export function openCometVersionById(api: Api, versionId: string, context: CometContext): Promise<OpenedVersion> {
  return open(api, { versionId }, context)
}

/** The latest version, or `undefined` when there is none yet. */
export async function findCometLatest(
  api: Api,
  place: VersionPlace,
  context: CometContext,
): Promise<OpenedVersion | undefined> {
  try {
    return await openCometVersion(api, place, context)
  } catch (error) {
    const none = ['artifact-not-found', 'version-not-found', 'version-not-closed', 'version-failed']
    if (isTidemarkError(error) && none.includes(error.code)) return undefined
    throw error
  }
}

async function open(
  api: Api,
  named: Readonly<Record<string, string | undefined>>,
  { experimentKey, consumerExperimentKey, known, signal }: CometContext,
): Promise<OpenedVersion> {
  const search = { ...named, experimentKey, consumerExperimentKey }
  const version = await api.json<CometVersion>('GET', `${restPrefix}/artifacts/version`, { search, signal })
  if (typeof version?.artifactVersionId !== 'string' || typeof version.artifact?.artifactName !== 'string')
    throw new CorruptionError('The answer is not a version. Is the address that of a Tidemark server, or of Comet?', {
      code: 'answer-damaged',
    })
  const { artifactVersionId, artifactVersion, artifact } = version
  const { files } = await api.json<{ files: readonly CometFile[] }>('GET', `${restPrefix}/artifacts/version/files`, {
    search: {
      // By id while it is open, by name as other clients do.
      ...(named.versionId === undefined
        ? { workspace: artifact.workspaceName, artifactName: artifact.artifactName, version: artifactVersion }
        : { artifactId: artifact.artifactId, versionId: artifactVersionId }),
    },
    signal,
  })
  const entries = sortEntries(files.map(toEntry))
  const place = { workspace: artifact.workspaceName, name: artifact.artifactName }
  const versions = known ?? (await cometVersions(api, place, signal))
  const index = versions?.findIndex((one) => one.version === artifactVersion) ?? uncounted
  const wire = toVersionWire(version, entries, { digest: await digestOf(entries), index })
  return { wire, reader: new CometReader(api, wire, entries, wire.experimentKey ?? experimentKey) }
}

/** Nothing when that of an asset is not known. */
async function digestOf(entries: readonly CometEntry[]): Promise<string> {
  return entries.some(({ digest }) => digest === '') ? '' : versionDigest(entries, await openDigester())
}

/** Reads a version asset by asset. What Comet does not know the digest of is checked by its size alone. */
class CometReader implements VersionReading {
  readonly what: string
  readonly #api: Api
  readonly #versionId: string
  readonly #entries: ReadonlyMap<string, CometEntry>
  readonly #experimentKey: string | undefined

  constructor(api: Api, wire: VersionWire, entries: readonly CometEntry[], experimentKey: string | undefined) {
    this.#api = api
    this.what = versionLabel(wire)
    this.#versionId = wire.versionId
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]))
    this.#experimentKey = experimentKey
  }

  async *entries({ prefix = '' }: { prefix?: string; signal?: AbortSignal } = {}): AsyncGenerator<Entry> {
    for (const entry of this.#entries.values()) if (entry.path.startsWith(prefix)) yield entry
  }

  async entry(path: string): Promise<Entry | undefined> {
    return this.#entries.get(path)
  }

  async *read(entry: Entry, { start = 0, end = entry.size, signal }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { size } = entry
    const hasher = start === 0 && end >= size && entry.digest !== '' ? (await openDigester()).create() : undefined
    let came = 0
    for await (const piece of resumedBytes(this.#api, getAsset, {
      search: this.#search(entry),
      signal,
      start,
      end,
      size,
    })) {
      hasher?.update(piece)
      came += piece.length
      yield piece
    }
    if (came !== Math.max(0, Math.min(end, size) - start) || (hasher && hasher.hex() !== entry.digest))
      throw this.#damaged(entry, start + came)
  }

  async *readMany(
    entries: AsyncIterable<Entry> | Iterable<Entry>,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<{ entry: Entry; body: AsyncGenerator<Uint8Array> }> {
    const all: Entry[] = []
    for await (const entry of entries) all.push(entry)
    const fetch = async (entry: Entry) => {
      if (entry.size > largestAhead) return undefined
      const pieces: Uint8Array[] = []
      for await (const piece of this.read(entry, { signal })) pieces.push(piece)
      return pieces
    }
    for await (const { item: entry, result } of ahead(all, readsAhead, fetch))
      yield { entry, body: result ? given(result) : this.read(entry, { signal }) }
  }

  async preview({ preview }: Entry): Promise<Metadata | undefined> {
    return preview
  }

  #search(entry: Entry): Readonly<Record<string, string | undefined>> {
    const found = this.#entries.get(entry.path)
    if (!found) throw new NotFoundError(`${this.#name(entry)} is not there.`, { code: 'asset-not-found' })
    return { experimentKey: this.#experimentKey, assetId: found.assetId, artifactVersionId: this.#versionId }
  }

  #name({ path }: Entry): string {
    return `${this.what} '${path}'`
  }

  #damaged(entry: Entry, size: number): CorruptionError {
    return new CorruptionError(
      `${this.#name(entry)} is damaged: ${size} bytes came that are not the ${entry.size} that were logged.`,
      { code: 'asset-damaged', fields: { what: this.what, path: entry.path } },
    )
  }
}

const getAsset = `${restPrefix}/experiment/asset/get-asset`

async function* given(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}
