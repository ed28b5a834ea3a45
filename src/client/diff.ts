import type { Entry } from '../content/entry.ts'
import { diffVersions, isChanged } from '../content/version-diff.ts'
import type { VersionReader } from '../content/version-reader.ts'
import type { VersionReading } from '../content/version-reading.ts'
import { UnsupportedError } from '../errors.ts'
import { checkCount, checkOptions, checkText, checkTexts } from '../options.ts'
import type { Metadata, VersionWire } from '../protocol/shapes.ts'
import type { Api } from './api.ts'
import { RecentReads } from './diff/recent-reads.ts'
import type { RowChange, RowMatch, TableDiff, TableDiffOptions } from './diff/table-diff.ts'
import { isTable, type TablePlace } from './diff/table-place.ts'
import { packsOf, readFrom } from './versions/packed-version.ts'

/** What is known of an asset on one side of a difference. */
export interface DiffSide {
  readonly size: number
  /** SHA-256 of the bytes; undefined when it is not known: of what others logged to Comet. */
  readonly digest: string | undefined
  readonly type: string
  readonly metadata?: Metadata
}

export interface DiffLine extends DiffSide {
  readonly path: string
}

/** How one version becomes another, by path; each list sorted. `changed`: other bytes, another kind or media type, or other metadata. */
export interface VersionDiff {
  readonly added: readonly DiffLine[]
  readonly removed: readonly DiffLine[]
  readonly changed: readonly DiffChange[]
}

/** A path that both versions have, and that changed. */
export class DiffChange {
  readonly path: string
  readonly before: DiffSide
  readonly after: DiffSide
  readonly #tables: readonly [TablePlace, TablePlace] | undefined

  /** Of places alone, without readers, tables are not compared. */
  constructor(path: string, before: Listed, after: Listed) {
    this.path = path
    this.before = side(before.entry)
    this.after = side(after.entry)
    this.#tables = isReadable(before) && isReadable(after) ? [before, after] : undefined
  }

  /**
   * What changed in a table: columns, and rows with their cells. Only the parts of the table that differ are read. `undefined` when one of the sides is no table: neither a
   * table nor an Arrow file.
   *
   * @throws InvalidInputError `key-column-missing`: not both have such a column; `key-repeated`: it does not tell rows apart
   * @example
   * ```ts
   * const { changed } = await (await experiment.getArtifact('train:v0')).diff(await experiment.getArtifact('train:v1'))
   * const table = await changed[0].table({ key: 'id' })
   * console.log(table?.added, table?.removed, table?.cellsByColumn, table?.rows)
   * ```
   */
  async table(options: TableDiffOptions = {}): Promise<TableDiff | undefined> {
    checkMatch(options, ['key', 'limit', 'signal'], 'table()')
    if (options.limit !== Number.POSITIVE_INFINITY) checkCount(options.limit, 'limit')
    if (this.#tables === undefined) return undefined
    // With Arrow, which is loaded when first met.
    const { diffTables, openBoth } = await import('./diff/table-diff.ts')
    return diffTables(await openBoth(...this.#tables, options.signal), options)
  }

  /**
   * Every row of a table that differs, one after another, in little memory.
   *
   * @throws UnsupportedError `not-a-table`; InvalidInputError as for `table()`
   */
  async *rows(options: RowMatch = {}): AsyncGenerator<RowChange> {
    checkMatch(options, ['key', 'signal'], 'rows()')
    if (this.#tables === undefined)
      throw new UnsupportedError(`'${this.path}' is not a table in both versions: it has no rows to compare.`, {
        code: 'not-a-table',
        fields: { path: this.path },
      })
    const { diffRows, openBoth } = await import('./diff/table-diff.ts')
    yield* diffRows(await openBoth(...this.#tables, options.signal), options)
  }
}

/** Pages of the lists of assets that both versions share are not read. Each has its own connection: the other may be of another store. */
export async function diff(
  [api, from]: readonly [Api, VersionWire],
  [otherApi, to]: readonly [Api, VersionWire],
  signal?: AbortSignal,
): Promise<VersionDiff> {
  // What both need is read once.
  const source = new RecentReads(packsOf(api, api === otherApi ? [from, to] : [from]))
  const otherSource = api === otherApi ? source : new RecentReads(packsOf(otherApi, [to]))
  const [before, after] = [readFrom(source, from), readFrom(otherSource, to)]
  const added: DiffLine[] = []
  const removed: DiffLine[] = []
  const changed: DiffChange[] = []
  for await (const one of diffVersions(before, after, { signal })) {
    const { path } = one
    if (one.before && one.after)
      changed.push(new DiffChange(path, { reader: before, entry: one.before }, { reader: after, entry: one.after }))
    else if (one.after) added.push({ path, ...side(one.after) })
    else if (one.before) removed.push({ path, ...side(one.before) })
  }
  return { added, removed, changed }
}

/** The same of versions that are only listed: of a server without pages. What has no digest is compared by its size. */
export async function diffListed(
  before: VersionReading,
  after: VersionReading,
  signal?: AbortSignal,
): Promise<VersionDiff> {
  const olds = new Map<string, Entry>()
  for await (const entry of before.entries({ signal })) olds.set(entry.path, entry)
  const added: DiffLine[] = []
  const changed: DiffChange[] = []
  for await (const entry of after.entries({ signal })) {
    const { path } = entry
    const old = olds.get(path)
    olds.delete(path)
    if (!old) added.push({ path, ...side(entry) })
    else if (isChanged(old, entry)) changed.push(new DiffChange(path, { entry: old }, { entry }))
  }
  return { added, removed: Array.from(olds.values(), (entry) => ({ path: entry.path, ...side(entry) })), changed }
}

function isReadable(place: Listed): place is TablePlace {
  return place.reader !== undefined && isTable({ reader: place.reader, entry: place.entry })
}

interface Listed {
  readonly entry: Entry
  readonly reader?: VersionReader
}

function checkMatch(options: RowMatch, known: readonly string[], what: string): void {
  checkOptions(options, known, what)
  if (Array.isArray(options.key)) checkTexts(options.key, 'key')
  else if (options.key !== null) checkText(options.key, 'key')
}

function side({ size, digest, kind, metadata }: Entry): DiffSide {
  return { size, digest: digest || undefined, type: kind, ...(metadata && { metadata }) }
}
