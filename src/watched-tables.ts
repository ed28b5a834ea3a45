import type { Connection } from './client/connection.ts'
import { checkMetadata } from './client/metadata.ts'
import { artifactPath } from './client/upload/artifact-path.ts'
import type { UploadRequest } from './client/upload.ts'
import { needOwnRoutes } from './client/versions/open-version.ts'
import type { OwnVersions } from './client/versions/own-versions.ts'
import type { KeptPages } from './content/page-reader.ts'
import { InvalidInputError, NotFoundError } from './errors.ts'
import type { LoggedArtifact } from './logged-artifact.ts'
import { checkOptions, checkText, checkTexts, describe, nearest } from './options.ts'
import { checkName } from './paths.ts'
import { Pace } from './platform/pace.ts'
import { timers } from './platform/timers.ts'
import { Turns } from './platform/turns.ts'
import type { Metadata } from './protocol/shapes.ts'
import { RegisteredArtifact, type UnregisterOptions, VersionEvent, WatchErrorEvent } from './registered.ts'
import { memoryKept, type Snapshot, Snapshots } from './watch/snapshots.ts'
import { openHeld } from './watch/source.ts'
import { Watcher } from './watch/watcher.ts'

export interface RegisterArtifactOptions {
  /** Of each version. */
  readonly metadata?: Metadata
  /** The column that tells rows apart, recorded for `diff`. */
  readonly key?: string
  /** Milliseconds between two looks; default 2000. */
  readonly interval?: number
  /**
   * How many versions of this experiment stay: older ones are deleted once a new one is committed, but for those that have an alias. Default: all.
   */
  readonly keep?: number
  /** Default: the artifact's own type, `data` for a new one. */
  readonly type?: string
  /** Move to each new version. */
  readonly aliases?: readonly string[]
}

/** What an experiment and its tables know of one another. */
export interface WatchingExperiment {
  readonly key: string
  readonly workspace: string
  readonly connection: Connection
  commit(request: Omit<UploadRequest, 'workspace' | 'base'>): Promise<Committed>
}

export interface Committed {
  readonly logged: LoggedArtifact
  /** False when nothing was new. */
  readonly created: boolean
}

const defaultInterval = 2000
// Longer ones `setTimeout` takes for 1 ms.
const longestInterval = 2 ** 31 - 1

/** The tables that one experiment watches. */
export class WatchedTables {
  readonly #experiment: WatchingExperiment
  readonly #tables = new Map<string, WatchedTable>()
  /** The tables of an experiment are often looked at, and change, all at the same time. */
  readonly #turns = new Turns()
  /** One registration after another, so that two under one name do not watch side by side. */
  #registering: Promise<unknown> = Promise.resolve()

  constructor(experiment: WatchingExperiment) {
    this.#experiment = experiment
  }

  /** Name and live source of each. */
  get sources(): Map<string, unknown> {
    return new Map(Array.from(this.#tables, ([name, { artifact }]) => [name, artifact.source]))
  }

  register(given: string, source: unknown, options: RegisterArtifactOptions): Promise<RegisteredArtifact> {
    checkRegisterOptions(options)
    const name = checkName(given)
    const metadata = checkMetadata(options.metadata)
    const registered = this.#registering.then(() => this.#register(name, source, { ...options, metadata }))
    // How it ended is told to whoever asked for it.
    this.#registering = registered.catch(() => undefined)
    return registered
  }

  async unregister(given: string, { discard = false }: UnregisterOptions): Promise<void> {
    const name = checkName(given)
    const table = this.#tables.get(name)
    if (!table) throw notWatched(name, this.#tables.keys())
    if (!discard) await table.watcher.flush()
    await this.#forget(name, table)
  }

  /** Last looks at all tables; they are watched no longer when all went well. */
  async end(): Promise<void> {
    await this.#registering
    const failures: unknown[] = []
    await Promise.all(
      Array.from(this.#tables, async ([name, table]) => {
        try {
          await table.watcher.flush()
          await this.#forget(name, table)
        } catch (error) {
          failures.push(error)
        }
      }),
    )
    const [first, ...others] = failures
    for (const error of others) this.#experiment.connection.logger.error(messageOf(error))
    if (failures.length > 0) throw first
    this.#experiment.connection.beforeClose.delete(this.#onClose)
  }

  /** Before the connection closes: last looks, and then no more, whatever came of them. */
  async close(): Promise<void> {
    try {
      await this.end()
    } finally {
      await this.stop()
    }
  }

  /** Watches no longer, without last looks. */
  async stop(): Promise<void> {
    this.#experiment.connection.beforeClose.delete(this.#onClose)
    await Promise.all(Array.from(this.#tables, ([name, table]) => this.#forget(name, table)))
  }

  async #forget(name: string, table: WatchedTable): Promise<void> {
    await table.watcher.stop()
    if (this.#tables.get(name) === table) this.#tables.delete(name)
  }

  async #register(name: string, source: unknown, options: RegisterArtifactOptions): Promise<RegisteredArtifact> {
    if (options.keep !== undefined) await needOwnRoutes(this.#experiment.connection, 'keep, which deletes versions')
    const before = this.#tables.get(name)
    if (before) return this.#replace(name, before, source, options)
    const table = new WatchedTable(this.#experiment, {
      name,
      source,
      options,
      turns: this.#turns,
      unregister: (given) => this.unregister(name, given),
    })
    try {
      await table.watcher.flush()
    } catch (error) {
      await table.watcher.stop()
      throw error
    }
    this.#tables.set(name, table)
    this.#experiment.connection.beforeClose.add(this.#onClose)
    return table.artifact
  }

  async #replace(
    name: string,
    table: WatchedTable,
    source: unknown,
    options: RegisterArtifactOptions,
  ): Promise<RegisteredArtifact> {
    // An unsupported source is an error now, before anything is changed.
    const held = await openHeld(source)
    held()
    const { logger } = this.#experiment.connection
    try {
      await table.watcher.flush()
    } catch (error) {
      logger.error(`The last state of '${name}' before it was registered anew is not stored: ${messageOf(error)}`)
    }
    table.replace(source, options)
    logger.info(`'${name}' is registered anew.`)
    await table.watcher.flush()
    return table.artifact
  }

  readonly #onClose = () => this.close()
}

interface Registration {
  readonly name: string
  readonly source: unknown
  readonly options: RegisterArtifactOptions
  readonly turns: Turns
  readonly unregister: (options: UnregisterOptions) => Promise<void>
}

/** One table: its artifact as users hold it, and how a snapshot of it is committed. */
class WatchedTable {
  readonly artifact: RegisteredArtifact
  readonly watcher: Watcher<Committed>
  readonly #experiment: WatchingExperiment
  readonly #name: string
  readonly #turns: Turns
  #options: RegisterArtifactOptions
  /** Pages of the versions before, for as long as the copy of the table is kept. */
  readonly #pages: KeptPages = new Map()
  #letGo: (() => void) | undefined
  #own: OwnVersions | undefined

  constructor(experiment: WatchingExperiment, { name, source, options, turns, unregister }: Registration) {
    this.#experiment = experiment
    this.#name = name
    this.#turns = turns
    this.#options = options
    const snapshots = new Snapshots()
    this.watcher = new Watcher({
      name,
      source,
      interval: options.interval ?? defaultInterval,
      looks: {
        open: async (source) => {
          await turns.next()
          return snapshots.open(source)
        },
      },
      commit: (snapshot) => this.#commit(snapshot),
      onVersion: ({ logged, created }, before) => {
        // Not created by this commit, and yet new: its first answer was lost, or another experiment that watches the same table was faster.
        const isNew = created || (before !== undefined && before.logged.index !== logged.index)
        if (isNew) this.artifact.dispatchEvent(new VersionEvent(logged))
      },
      onError: (error, { told, pause }) =>
        this.#tell(error, told ? undefined : `It is looked at again in ${pause / 1000} s.`),
      timers,
    })
    this.artifact = new RegisteredArtifact(name, this.watcher, unregister)
  }

  replace(source: unknown, options: RegisterArtifactOptions): void {
    this.#options = options
    this.watcher.replace(source, options.interval ?? defaultInterval)
  }

  async #commit(snapshot: Snapshot): Promise<Committed> {
    const { type, aliases, metadata, key, keep } = this.#options
    if (key !== undefined) checkKey(key, snapshot)
    await this.#turns.next()
    this.#letGo?.()
    this.#letGo = timers.after(memoryKept, () => this.#pages.clear())
    const committed = await this.#experiment.commit({
      name: this.#name,
      pages: this.#pages,
      ...(type !== undefined && { type }),
      about: { ...(aliases && { aliases }), ...(metadata && { metadata }) },
      assets: [
        [
          artifactPath(this.#name),
          {
            kind: snapshot.kind,
            value: () => undefined,
            encode: (options) => snapshot.encode({ ...options, pace: new Pace() }),
            ...(key !== undefined && { info: { key } }),
          },
        ],
      ],
    })
    if (keep !== undefined) await this.#prune(committed.logged.index, keep)
    return committed
  }

  /** What fails here is told, and tried again after the next version: the version itself is committed. */
  async #prune(newest: number, keep: number): Promise<void> {
    const { connection, workspace, key: experimentKey } = this.#experiment
    try {
      const { OwnVersions } = await import('./client/versions/own-versions.ts')
      this.#own ??= new OwnVersions(connection, { workspace, name: this.#name, experimentKey })
      await this.#own.prune(newest, keep)
    } catch (error) {
      this.#tell(error, 'Versions beyond keep are deleted after the next one.')
    }
  }

  /** `hint` undefined: somebody waits for it and is told. */
  #tell(error: unknown, hint: string | undefined): void {
    const event = new WatchErrorEvent(error)
    this.artifact.dispatchEvent(event)
    if (event.seen || hint === undefined) return
    this.#experiment.connection.logger.error(`${messageOf(error)} ${hint}`)
  }
}

function checkKey(key: string, { columns, rows }: Snapshot): void {
  // A table without rows has no columns either when it is an array of records.
  if (columns === undefined || columns.includes(key) || (rows === 0 && columns.length === 0)) return
  const [near] = nearest(key, columns)
  throw new InvalidInputError(
    `The table has no column '${key}' to be its key. ${near ? `Did you mean '${near}'?` : `It has: ${columns.join(', ')}.`}`,
    { code: 'key-column-missing', fields: { column: key } },
  )
}

function checkRegisterOptions(options: RegisterArtifactOptions): void {
  checkOptions(options, ['metadata', 'key', 'interval', 'keep', 'type', 'aliases'], 'registerArtifact()')
  checkTexts(options.aliases, 'aliases')
  checkText(options.key, 'key')
  checkText(options.type, 'type')
  if (options.type !== undefined) checkName(options.type)
  checkCount(options.interval, 'interval', longestInterval, 'milliseconds')
  checkCount(options.keep, 'keep', Number.MAX_SAFE_INTEGER, 'versions')
}

function checkCount(value: unknown, option: string, most: number, unit: string): void {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most))
    return
  throw new InvalidInputError(`${option} must be a whole number of ${unit} from 1 up, not ${describe(value)}.`, {
    code: 'invalid-option',
    fields: { option },
  })
}

function notWatched(name: string, names: Iterable<string>): NotFoundError {
  const [near] = nearest(name, names)
  return new NotFoundError(`No table is watched under the name '${name}'.${near ? ` Did you mean '${near}'?` : ''}`, {
    code: 'not-watched',
    fields: { artifact: name },
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
