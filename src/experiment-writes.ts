import { type AssetDescription, uploadPath } from './client/asset-description.ts'
import type { Connection } from './client/connection.ts'
import type { GitMetadata } from './client/experiment-reader.ts'
import { type CallEntry, checkLabel } from './client/log/log-entry.ts'
import { checkLoggedValue, checkMetricValue, checkPosition } from './client/log/logged-value.ts'
import { postEntry } from './client/log/post-entry.ts'
import type { Companions } from './client/log/run-companions.ts'
import type { RunLog, Undelivered } from './client/log/run-log.ts'
import { checkMetadata } from './client/metadata.ts'
import type { Run } from './client/open-run.ts'
import { randomId } from './client/random-id.ts'
import { parseUri, remoteName } from './client/remote-uri.ts'
import { withoutCredentials } from './client/surroundings/git-origin.ts'
import { InvalidInputError } from './errors.ts'
import { ExperimentReads, type ReadOptions } from './experiment-reads.ts'
import { checkFlag, checkOptions, checkText, checkTexts, describe } from './options.ts'
import { checkName } from './paths.ts'
import { restPrefix, routes } from './protocol/routes.ts'
import type { JsonValue, Metadata } from './protocol/shapes.ts'

/** Where a point stands. */
export interface MetricOptions {
  readonly step?: number
  readonly epoch?: number
  /** `train`, `validate`: the metric is listed as `train_loss` then. */
  readonly context?: string
}

export interface ParameterOptions {
  readonly step?: number
}

export interface AssetOptions {
  /** Default: the file's own name. A value without one needs it. */
  readonly name?: string
  /** Default `asset`. */
  readonly type?: string
  readonly step?: number
  readonly epoch?: number
  readonly context?: string
  /** Replaces assets of this name. */
  readonly overwrite?: boolean
  readonly metadata?: Metadata
}

export interface UploadAssetOptions extends AssetOptions {
  readonly signal?: AbortSignal
}

/** Facts about a system: Comet's names. Others are kept where the server keeps them. */
export interface SystemDetails {
  readonly command?: readonly string[]
  readonly executable?: string
  readonly hostname?: string
  readonly installedPackages?: readonly string[]
  readonly os?: string
  readonly osType?: string
  readonly pid?: number
  readonly user?: string
  readonly logAdditionalSystemInfoList?: readonly { readonly key: string; readonly value: string }[]
  readonly [name: string]: JsonValue | undefined
}

/**
 * One experiment to write to. `log*` and `addTags` return at once: what they are given is checked, and sent in the background, in order and in batches.
 * `flush()` and `end()` wait for it and tell what failed.
 */
export abstract class ExperimentWrites extends ExperimentReads {
  readonly #connection: Connection
  readonly #log: RunLog
  readonly #companions: Companions | undefined
  readonly #underWay = new Set<Promise<unknown>>()
  #ending: Promise<void> | undefined
  #deleted = false

  constructor(connection: Connection, { info, log, companions }: Run) {
    super(connection, info)
    this.#connection = connection
    this.#log = log
    this.#companions = companions
  }

  /**
   * One value of a metric: a number; NaN and infinities are kept as such.
   *
   * @throws InvalidInputError `invalid-value`, `invalid-name`, `experiment-ended`; UnavailableError `outbox-full`
   * @example
   * ```ts
   * for (let step = 0; step < 100; step++) experiment.logMetric('loss', 1 / (step + 1), { step, context: 'train' })
   * ```
   */
  logMetric(name: string, value: number, options: MetricOptions = {}): void {
    this.logMetrics({ [checkLabel(name, 'metric')]: value }, options)
  }

  /** Values of several metrics at one place: `{ loss: 0.5, accuracy: 0.9 }`. All of them or, when one is refused, none. */
  logMetrics(values: Readonly<Record<string, number>>, options: MetricOptions = {}): void {
    checkOptions(options, ['step', 'epoch', 'context'], 'logMetrics()')
    const step = checkPosition(options.step, 'step')
    const epoch = checkPosition(options.epoch, 'epoch')
    const context = options.context === undefined ? undefined : checkLabel(options.context, 'context')
    const timestamp = Date.now()
    const points = entriesOf(values, 'logMetrics()').map(
      ([name, value]) => [checkLabel(name, 'metric'), checkMetricValue(value, name)] as const,
    )
    this.#assertWritable()
    for (const [name, value] of points) this.#log.add({ kind: 'metric', name, value, step, epoch, context, timestamp })
  }

  /** Text, a number, a boolean, null, a date, or an array or plain object of them; the last one counts. */
  logParameter(name: string, value: unknown, options: ParameterOptions = {}): void {
    this.logParameters({ [checkLabel(name, 'parameter')]: value }, options)
  }

  logParameters(values: Readonly<Record<string, unknown>>, options: ParameterOptions = {}): void {
    checkOptions(options, ['step'], 'logParameters()')
    const step = checkPosition(options.step, 'step')
    const timestamp = Date.now()
    const parameters = entriesOf(values, 'logParameters()').map(
      ([name, value]) => [checkLabel(name, 'parameter'), checkLoggedValue(value, name)] as const,
    )
    this.#assertWritable()
    for (const [name, value] of parameters)
      this.#log.add({ kind: 'parameter', name, value, timestamp, ...(step !== undefined && { step }) })
  }

  /** Anything else that a person should see beside the experiment. The key `Name` renames it. */
  logOther(key: string, value: unknown): void {
    const other = { key: checkLabel(key, 'other'), value: checkLoggedValue(value, key), timestamp: Date.now() }
    this.#assertWritable()
    this.#log.add({ kind: 'other', ...other })
  }

  addTags(tags: readonly string[]): void {
    checkTexts(tags ?? null, 'tags')
    const checked = tags.map((tag) => checkLabel(tag, 'tag'))
    this.#assertWritable()
    if (checked.length > 0) this.#log.add({ kind: 'tags', tags: checked })
  }

  /** Adds to the experiment's page, or with `override` replaces it. */
  logHtml(html: string, options: { readonly override?: boolean } = {}): void {
    checkOptions(options, ['override'], 'logHtml()')
    checkFlag(options.override, 'override')
    const { override = false } = options
    const text = needText(html, 'html')
    const timestamp = Date.now()
    this.#assertWritable()
    const entry = postEntry(this.key, 'html', 'html', { html: text, override, timestamp })
    if (override || !this.#connection.api.remote) {
      this.#log.add(entry)
      return
    }
    let sending: CallEntry['send'] | undefined
    const send: CallEntry['send'] = async (api) => {
      sending ??= (await import('./client/log/append-html.ts')).appendHtml(this.key, text, timestamp)
      return sending(api)
    }
    this.#log.add({ ...entry, send })
  }

  /** The graph of a model: text, or an object that is stored as JSON. */
  logGraph(graph: string | Metadata): void {
    this.#post('graph', 'graph', {
      graph: typeof graph === 'string' ? graph : JSON.stringify(checkMetadata(graph, 'graph')),
    })
  }

  logCode(code: string): void {
    this.#post('code', 'code', { code: needText(code, 'code') })
  }

  /** Replaces what is known of the repository. A user or password in `origin` is left out. */
  logGitMetadata(git: Partial<GitMetadata>): void {
    checkOptions(git, ['branch', 'origin', 'parent', 'user', 'root'], 'logGitMetadata()')
    const given = Object.entries(git).filter(([, value]) => value !== undefined && value !== null)
    for (const [field, value] of given) checkText(value, field)
    const { origin } = git
    const clean = typeof origin === 'string' ? { origin: withoutCredentials(origin) } : {}
    this.#post('git metadata', 'git/metadata', { ...Object.fromEntries(given), ...clean })
  }

  logSystemDetails(details: SystemDetails): void {
    this.#post('system details', 'system-details', checkMetadata(details, 'details') ?? {})
  }

  /** An asset that is only linked. Nothing is fetched. */
  logRemoteAsset(uri: string | URL, options: AssetOptions = {}): void {
    checkAssetOptions(options, [], 'logRemoteAsset()')
    const link = String(uri)
    const url = parseUri(link)
    const { search, metadata } = describeAsset(options, options.name ?? remoteName(url))
    this.#assertWritable()
    // Its id is made here, so that a lost answer can be asked for again without making two.
    const [{ key }, assetId] = [this, randomId()]
    const form = () => {
      const parts = new FormData()
      parts.append('link', link)
      if (metadata !== undefined) parts.append('metadata', metadata)
      return parts
    }
    this.#log.add({
      kind: 'call',
      what: `remote asset '${search.fileName}'`,
      size: 2 * (link.length + (metadata?.length ?? 0)),
      send: async (api) => {
        const { sendForm } = await import('./client/api/send-form.ts')
        return sendForm(api, uploadPath, { search: { experimentKey: key, ...search, assetId, isRemote: true }, form })
      },
    })
  }

  /**
   * Stores a file or value with the experiment: a path, a Blob, bytes, a stream, a folder (as one zip), a table, anything of the table "Values" in the README. Unlike
   * artifacts, assets have no versions, and what changes little is stored whole again.
   *
   * @throws InvalidInputError `asset-name-missing`, `unsupported-value`
   * @example
   * ```ts
   * const { assetId } = await experiment.uploadAsset(new Blob(['step,loss\n1,0.5\n']), { name: 'history.csv' })
   * const bytes = await experiment.getAsset(assetId)
   * ```
   */
  async uploadAsset(source: unknown, options: UploadAssetOptions = {}): Promise<{ readonly assetId: string }> {
    checkAssetOptions(options, ['signal'], 'uploadAsset()')
    return this.track(async () => {
      const { uploadAsset } = await import('./client/upload/upload-asset.ts')
      return uploadAsset(this.#connection, this.key, source, (name) => describeAsset(options, name), options)
    })
  }

  /** Sets when it began or ended, for experiments that are told afterwards: dates, or milliseconds since 1970. */
  async setStartEndTime(times: { readonly start?: Date | number; readonly end?: Date | number }): Promise<void> {
    checkOptions(times, ['start', 'end'], 'setStartEndTime()')
    const body = {
      experimentKey: this.key,
      startTimeMillis: checkTime(times.start, 'start'),
      endTimeMillis: checkTime(times.end, 'end'),
    }
    await this.track(() =>
      this.#connection.api.done('POST', `${restPrefix}/write/experiment/set-start-end-time`, { body }),
    )
  }

  /** Shows the experiment in another project too. Where it is seen there. */
  async createSymlink(project: string): Promise<string> {
    const search = { experimentKey: this.key, projectName: checkName(project, 'project') }
    const { link } = await this.track(() =>
      this.#connection.api.json<{ link: string }>('GET', `${restPrefix}/write/project/symlink`, { search }),
    )
    return link
  }

  /** Puts it into the archive: `getExperiments({ archived: true })` lists it then. */
  archive(): Promise<void> {
    return this.#command('archive')
  }

  /** Takes it out of the archive. */
  restore(): Promise<void> {
    return this.#command('restore')
  }

  /** Deletes the experiment and its own assets. Versions of artifacts that it logged stay. What was not sent yet is let go, and no table is watched any more. */
  async delete(): Promise<void> {
    this.#deleted = true
    this.#connection.begun.delete(this)
    this.#companions?.stop()
    this.#log.discard()
    await Promise.allSettled(this.#underWay)
    await this.lookNoMore()
    await this.#command('delete')
  }

  /** What could not be logged, and why. */
  get undelivered(): readonly Undelivered[] {
    return this.#log.undelivered
  }

  /**
   * Waits until all that was logged so far is stored.
   *
   * @throws UnavailableError `not-delivered`: it could not be sent now; it waits on, and is tried again
   * @throws TidemarkError `not-logged`: some of it was refused; told once
   */
  async flush(options: ReadOptions = {}): Promise<void> {
    checkOptions(options, ['signal'], 'flush()')
    await this.#log.flush(options.signal)
  }

  /**
   * Takes a last look at the tables that are watched, waits until everything is committed, and marks the experiment as ended. Reading goes on to work; writing is an
   * error then. When it rejects, the experiment has not ended, and watches on - unless the error is `not-logged`: it has ended then, without what the error tells of.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end().catch((error: unknown) => {
      // Not ended after all: it can be tried again.
      this.#ending = undefined
      throw error
    })
    return this.#ending.then(() => this.#log.tell())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  /** Before the end: what is looked at in the background is looked at once more. */
  protected abstract lastLook(): Promise<void>

  /** Before it is deleted: nothing is looked at in the background any more. */
  protected abstract lookNoMore(): Promise<void>

  protected override async settled(signal: AbortSignal | undefined): Promise<void> {
    await this.#companions?.collected
    await this.#log.settle(signal)
  }

  /** Work that the end waits for. */
  protected async track<T>(work: () => Promise<T>): Promise<T> {
    this.#assertWritable()
    const promise = work()
    const all = [this.#underWay, this.#connection.underWay]
    for (const underWay of all) underWay.add(promise)
    try {
      return await promise
    } finally {
      for (const underWay of all) underWay.delete(promise)
    }
  }

  async #end(): Promise<void> {
    if (this.#deleted) return
    // How each of them ends is told to whoever began it.
    await Promise.allSettled(this.#underWay)
    await this.lastLook()
    await this.#companions?.collected
    this.#companions?.stopCapture()
    await this.#log.settle()
    await this.#tellEnd()
    this.#connection.begun.delete(this)
    this.#companions?.stop()
  }

  async #tellEnd(): Promise<void> {
    const { api, server } = this.#connection
    if (await server.capabilities()) await api.done('POST', routes.endExperiment(this.key))
    // Comet's word for it.
    else await api.done('GET', `${restPrefix}/write/experiment/stop`, { search: { experimentKey: this.key } })
  }

  #post(what: string, path: string, fields: Readonly<Record<string, JsonValue | undefined>>): void {
    this.#assertWritable()
    this.#log.add(postEntry(this.key, what, path, fields))
  }

  /** Comet's writes that are asked for with GET. */
  async #command(verb: 'archive' | 'restore' | 'delete'): Promise<void> {
    const search = { experimentKey: this.key }
    await this.#connection.api.done('GET', `${restPrefix}/write/experiment/${verb}`, { search })
  }

  #assertWritable(): void {
    if (!this.#ending && !this.#deleted) return
    throw new InvalidInputError(
      this.#deleted
        ? `Experiment ${this.name} was deleted: nothing more can be logged to it. Create another.`
        : `Experiment ${this.name} has ended: nothing more can be logged to it. Create another, or get it again by its key.`,
      { code: this.#deleted ? 'experiment-deleted' : 'experiment-ended', fields: { experiment: this.key } },
    )
  }
}

function describeAsset(options: AssetOptions, fileName: string): AssetDescription {
  const { type = 'asset', step, epoch, context, overwrite } = options
  const metadata = checkMetadata(options.metadata)
  return {
    search: { fileName: checkLabel(fileName, 'asset'), type, step, epoch, context, overwrite },
    metadata: metadata && JSON.stringify(metadata),
  }
}

function checkAssetOptions(options: AssetOptions, more: readonly string[], what: string): void {
  checkOptions(options, ['name', 'type', 'step', 'epoch', 'context', 'overwrite', 'metadata', ...more], what)
  for (const option of ['name', 'type', 'context'] as const) checkText(options[option], option)
  for (const option of ['step', 'epoch'] as const) checkPosition(options[option], option)
  checkFlag(options.overwrite, 'overwrite')
  checkMetadata(options.metadata)
}

function entriesOf<Value>(values: Readonly<Record<string, Value>>, what: string): [string, Value][] {
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return Object.entries(values)
  throw new InvalidInputError(`${what} takes an object of names and values, not ${describe(values)}.`, {
    code: 'invalid-value',
  })
}

function needText(value: string, option: string): string {
  checkText(value, option)
  if (value !== undefined) return value
  throw new InvalidInputError(`${option} must be a string, not undefined.`, {
    code: 'invalid-option',
    fields: { option },
  })
}

function checkTime(value: Date | number | undefined, option: string): number | undefined {
  if (value === undefined) return undefined
  const ms = value instanceof Date ? value.getTime() : value
  if (typeof ms === 'number' && Number.isSafeInteger(Math.round(ms)) && ms >= 0) return Math.round(ms)
  throw new InvalidInputError(`${option} must be a date or milliseconds since 1970, not ${describe(value)}.`, {
    code: 'invalid-option',
    fields: { option },
  })
}
