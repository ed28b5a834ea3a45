import { CorruptionError } from '../../errors.ts'
import { type ChunkRef, parseChunkRef } from '../../protocol/chunk-ref.ts'
import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { recordShape, type Shape } from '../shape.ts'
import type { GoneVersions } from './gone-versions.ts'

/** The one mutable record of an artifact. What it says of versions is a summary of their records, and may lag behind them: see heads.ts. */
export interface ArtifactHead {
  readonly type: string
  readonly description: string | null
  readonly tags: readonly string[]
  /** Alias to index; in the order in which they were given. */
  readonly aliases: ReadonlyMap<string, number>
  /** The newest version that is not deleted. */
  readonly latest: number | null
  /** Every record below this index is taken into account here. */
  readonly next: number
  /** Versions below this index were deleted with the whole artifact, whatever their records say. */
  readonly deletedBelow: number
  /** Versions that were deleted by themselves. Heads that were written before they were kept tell of none. */
  readonly gone: GoneVersions
  /** True once any version's tags or metadata were changed: until then nobody need look for such changes. */
  readonly relabelled: boolean
  /** Versions below `next` that were about to be closed: their records tell whether they are. */
  readonly open: readonly number[]
  /** Short hashes of the last write-ids, so that a late repetition is found without reading records: see write-hashes.ts. */
  readonly recent: string
}

/** A version, written once: creating this record is the commit. A deleted version keeps its numbers, and what collection needs. */
export interface VersionRecord extends ArtifactPlace {
  readonly index: number
  readonly type: string
  readonly version: string
  /** The highest semantic version up to this index. */
  readonly highest: string
  readonly automatic: boolean
  readonly writeId: string
  readonly deleted: boolean
  readonly manifest: ChunkRef | null
  /** Absent on a deleted version, and on one that is not closed. */
  readonly content?: VersionContent
  /** A version that is being written asset by asset, or was given up: what will be its content, but for the assets. */
  readonly draft?: VersionDraft
}

export interface VersionDraft {
  readonly state: 'OPEN' | 'ERROR'
  /** Its assets are being gathered: no more are taken. */
  readonly closing?: boolean
  readonly content: VersionContent
}

/** What is forgotten when a version is deleted. */
export interface VersionContent {
  readonly description: string | null
  readonly project: string | null
  readonly experimentKey: string | null
  readonly aliases: readonly string[]
  readonly versionTags: readonly string[]
  readonly metadata: Metadata | null
  readonly digest: string
  readonly size: number
  readonly count: number
  readonly remoteCount: number
  readonly createdAt: number
  readonly parent: number | null
}

/** Tags and metadata of a version that were changed after its commit. */
export interface VersionLabels {
  readonly versionTags?: readonly string[]
  readonly metadata?: Metadata
  /** Its aliases were replaced: Comet then no longer lists `Latest` among them. */
  readonly aliased?: boolean
}

const format = 1

// Ten digits keep the keys in order, for as many versions as anyone will make.
const digits = 10

export const keys = {
  artifacts: 'artifacts/',
  workspace: (workspace: string) => `artifacts/${workspace}/`,
  artifact: ({ workspace, name }: ArtifactPlace) => `artifacts/${workspace}/${name}/`,
  head: (place: ArtifactPlace) => `${keys.artifact(place)}head`,
  version: (place: ArtifactPlace, index: number) => `${keys.artifact(place)}v/${padded(index)}`,
  labels: (place: ArtifactPlace, index: number) => `${keys.artifact(place)}t/${padded(index)}`,
  claim: (place: ArtifactPlace, version: string) => `${keys.artifact(place)}s/${version}`,
  opens: 'open/',
  open: ({ workspace, name }: ArtifactPlace, index: number) => `open/${workspace}/${name}/${padded(index)}/`,
} as const

export function padded(index: number): string {
  return String(index).padStart(digits, '0')
}

export function placeText({ workspace, name }: ArtifactPlace): string {
  return `${workspace}/${name}`
}

export function headToJson(place: ArtifactPlace, head: ArtifactHead): JsonValue {
  const { open, gone, ...rest } = head
  return {
    format,
    ...placeOf(place),
    ...rest,
    aliases: [...head.aliases],
    ...(open.length > 0 && { open }),
    ...(gone.length > 0 && { gone }),
  }
}

/** @throws CorruptionError `record-damaged` */
export function headFromJson(place: ArtifactPlace, json: JsonValue): ArtifactHead {
  const what = `The head of ${placeText(place)}`
  const shape = recordShape(json, what)
  assertPlace(place, shape.text('workspace'), shape.text('name'), what)
  const aliases = shape.list('aliases').map((pair): [string, number] => {
    const [alias, index] = Array.isArray(pair) ? pair : []
    if (typeof alias !== 'string' || typeof index !== 'number')
      throw shape.refuse('an alias is not a name and an index')
    return [alias, index]
  })
  const gone = (shape.has('gone') ? shape.list('gone') : []).map((pair): [number, number] => {
    const [start, end] = Array.isArray(pair) ? pair : []
    if (typeof start !== 'number' || typeof end !== 'number') throw shape.refuse("'gone' is not a list of ranges")
    return [start, end]
  })
  return {
    type: shape.text('type'),
    description: shape.optionalText('description') ?? null,
    tags: shape.texts('tags'),
    gone,
    aliases: new Map(aliases),
    latest: shape.optionalCount('latest') ?? null,
    next: shape.count('next'),
    deletedBelow: shape.count('deletedBelow'),
    relabelled: shape.optionalFlag('relabelled') ?? false,
    open: shape.has('open') ? shape.list('open').filter((index) => typeof index === 'number') : [],
    recent: shape.text('recent'),
  }
}

export function versionToJson(record: VersionRecord): JsonValue {
  const { content, draft, manifest, ...kept } = record
  return {
    format,
    ...kept,
    manifest: refToJson(manifest),
    ...(content && { content: { ...content } }),
    ...(draft && { draft: { ...draft, content: { ...draft.content } } }),
  }
}

/** Checks that the record is that of this version: one put in another's place is damage, not data. */
export function versionFromJson(place: ArtifactPlace, index: number, json: JsonValue): VersionRecord {
  const what = versionWhat(place, index)
  const shape = recordShape(json, what)
  assertPlace(place, shape.text('workspace'), shape.text('name'), what)
  if (shape.count('index') !== index) throw swapped(what)
  const manifest = shape.has('manifest') ? parseChunkRef(shape.raw('manifest')) : null
  if (manifest === undefined) throw shape.refuse("'manifest' is not a reference")
  const content = shape.optionalShape('content')
  const draft = shape.optionalShape('draft')
  const draftContent = draft?.optionalShape('content')
  const deleted = shape.optionalFlag('deleted') ?? false
  if (!deleted && !content && !draftContent) throw shape.refuse("'content' is missing")
  return {
    ...placeOf(place),
    index,
    type: shape.text('type'),
    version: shape.text('version'),
    highest: shape.text('highest'),
    automatic: shape.optionalFlag('automatic') ?? true,
    writeId: shape.text('writeId'),
    deleted,
    manifest,
    ...(content && { content: contentFromJson(content) }),
    ...(draft &&
      draftContent && {
        draft: {
          state: draft.text('state') === 'OPEN' ? 'OPEN' : 'ERROR',
          closing: draft.optionalFlag('closing') ?? false,
          content: contentFromJson(draftContent),
        },
      }),
  }
}

function contentFromJson(content: Shape): VersionContent {
  return {
    description: content.optionalText('description') ?? null,
    project: content.optionalText('project') ?? null,
    experimentKey: content.optionalText('experimentKey') ?? null,
    aliases: content.texts('aliases'),
    versionTags: content.texts('versionTags'),
    metadata: content.optionalObject('metadata') ?? null,
    digest: content.text('digest'),
    size: content.count('size'),
    count: content.count('count'),
    remoteCount: content.count('remoteCount'),
    createdAt: content.count('createdAt'),
    parent: content.optionalCount('parent') ?? null,
  }
}

export function versionWhat(place: ArtifactPlace, index: number): string {
  return `The record of ${placeText(place)}:v${index}`
}

export function refToJson(ref: ChunkRef | null): JsonValue {
  if (!ref) return null
  const { base, ...rest } = ref
  return { ...rest, ...(base && { base: refToJson(base) }) }
}

function placeOf({ workspace, name }: ArtifactPlace): { workspace: string; name: string } {
  return { workspace, name }
}

function assertPlace(place: ArtifactPlace, workspace: string, name: string, what: string): void {
  if (workspace !== place.workspace || name !== place.name) throw swapped(what)
}

function swapped(what: string): CorruptionError {
  return new CorruptionError(
    `${what} is damaged: another record lies in its place. Restore it from a copy of the store.`,
    {
      code: 'record-damaged',
      fields: { what },
    },
  )
}
