import type { Connection } from './client/connection.ts'
import { checkLabel } from './client/log-entry.ts'
import type { MetricPoint } from './client/read-series.ts'
import { parseWireMetadata } from './client/wire-metadata.ts'
import { checkOptions, checkText } from './options.ts'
import { restPrefix } from './protocol/routes.ts'
import type { JsonValue, Metadata } from './protocol/shapes.ts'

export interface ExperimentInfo {
  readonly key: string
  readonly name: string
  /** Where people see it: on a server; null embedded. */
  readonly url: string | null
  readonly workspace: string
  readonly project: string
}

/** What is known of an experiment. Times in milliseconds since 1970. Servers may say more. */
export interface ExperimentMetadata {
  readonly experimentKey: string
  readonly experimentName: string
  readonly projectId: string
  readonly projectName: string
  readonly workspaceName: string
  readonly archived: boolean
  readonly startTimeMillis: number
  readonly endTimeMillis: number | null
  readonly durationMillis: number
  readonly running?: boolean
  /** Its signs of life stopped, and it never said that it ended. */
  readonly hasCrashed?: boolean
}

/** The last, the least and the greatest value of a metric. */
export interface MetricSummary {
  /** `loss`; with a context `train_loss`. */
  readonly name: string
  readonly current: number
  readonly min: number
  readonly max: number
  readonly step: number | null
  readonly timestamp: number
}

/** A parameter or other: as text, since that is how Comet keeps them. */
export interface LoggedValue {
  readonly name: string
  readonly value: string
  /** When it was logged last. */
  readonly timestamp: number
}

/** What is known of a repository; null where nothing is. */
export interface GitMetadata {
  readonly branch: string | null
  /** Without user or password. */
  readonly origin: string | null
  readonly parent: string | null
  readonly user: string | null
  readonly root: string | null
}

/** One asset of an experiment. */
export interface ExperimentAsset {
  readonly assetId: string
  readonly fileName: string
  readonly fileSize: number
  readonly type: string
  /** Only linked. */
  readonly remote: boolean
  readonly link: string | null
  /** Undefined when there is none, or when it is not a JSON object. */
  readonly metadata: Metadata | undefined
  readonly step: number | null
  readonly context: string | null
  readonly createdAt: number
}

export interface ReadOptions {
  readonly signal?: AbortSignal
}

/** One experiment to read from. What was logged through the same object is there when it is read. */
export abstract class ExperimentReads {
  readonly key: string
  readonly name: string
  readonly url: string | null
  readonly workspace: string
  readonly project: string
  readonly #connection: Connection

  constructor(connection: Connection, { key, name, url, workspace, project }: ExperimentInfo) {
    this.#connection = connection
    this.key = key
    this.name = name
    this.url = url
    this.workspace = workspace
    this.project = project
  }

  /** Before anything is read: what was logged is sent. */
  protected abstract settled(signal: AbortSignal | undefined): Promise<void>

  /** @throws NotFoundError `experiment-not-found` */
  getMetadata(options: ReadOptions = {}): Promise<ExperimentMetadata> {
    return this.#get<ExperimentMetadata>('metadata', 'getMetadata()', options)
  }

  /**
   * All points of a metric, oldest first; none when there is no such metric. `context`: only those of that context; else those without one, or, when there are none, those of every context.
   *
   * @example
   * ```ts
   * experiment.logMetric('loss', 0.5, { step: 1 })
   * const [{ value, step }] = await experiment.getMetric('loss')
   * ```
   */
  async getMetric(name: string, options: ReadOptions & { readonly context?: string } = {}): Promise<MetricPoint[]> {
    checkOptions(options, ['context', 'signal'], 'getMetric()')
    checkText(options.context, 'context')
    const { context, signal } = options
    const metric = checkLabel(name, 'metric')
    await this.settled(signal)
    const { readSeries } = await import('./client/read-series.ts')
    return readSeries(this.#connection, this.key, { name: metric, context }, signal)
  }

  async getMetricsSummary(options: ReadOptions = {}): Promise<MetricSummary[]> {
    const { parseMetricNumber } = await import('./client/read-series.ts')
    const { values } = await this.#get<{ values: Summary[] }>('metrics/summary', 'getMetricsSummary()', options)
    return values.map(({ name, valueCurrent, valueMin, valueMax, stepCurrent, timestampCurrent }) => ({
      name,
      current: parseMetricNumber(valueCurrent),
      min: parseMetricNumber(valueMin),
      max: parseMetricNumber(valueMax),
      step: stepCurrent ?? null,
      timestamp: timestampCurrent,
    }))
  }

  async getParameters(options: ReadOptions = {}): Promise<LoggedValue[]> {
    return (await this.#get<{ values: Summary[] }>('parameters', 'getParameters()', options)).values.map(toLogged)
  }

  /** Among them the experiment's name, as `Name`. */
  async getOther(options: ReadOptions = {}): Promise<LoggedValue[]> {
    return (await this.#get<{ values: Summary[] }>('log-other', 'getOther()', options)).values.map(toLogged)
  }

  async getTags(options: ReadOptions = {}): Promise<string[]> {
    return (await this.#get<{ tags?: string[] }>('tags', 'getTags()', options)).tags ?? []
  }

  /** `''` when there is none. */
  async getHtml(options: ReadOptions = {}): Promise<string> {
    return (await this.#get<{ html?: string | null }>('html', 'getHtml()', options)).html ?? ''
  }

  /** The text that was logged; null when there is none. */
  async getGraph(options: ReadOptions = {}): Promise<string | null> {
    return (await this.#get<{ graph?: string | null }>('graph', 'getGraph()', options)).graph ?? null
  }

  /** The text that was logged; null when there is none. */
  async getCode(options: ReadOptions = {}): Promise<string | null> {
    return (await this.#get<{ code?: string | null }>('code', 'getCode()', options)).code ?? null
  }

  async getGitMetadata(options: ReadOptions = {}): Promise<GitMetadata> {
    const found = await this.#get<Partial<GitMetadata>>('git/metadata', 'getGitMetadata()', options)
    const { branch = null, origin = null, parent = null, user = null, root = null } = found
    return { branch, origin, parent, user, root }
  }

  /** The changes that were not committed when the experiment began, as `git diff` prints them; `''` when there are none. */
  async getGitPatch(options: ReadOptions = {}): Promise<string> {
    const bytes = await this.#bytes('git/patch', {}, 'getGitPatch()', options)
    const { gitPatchText } = await import('./client/git-patch.ts')
    return gitPatchText(bytes)
  }

  /** What the program wrote, its lines joined. */
  async getOutput(options: ReadOptions = {}): Promise<string> {
    return (await this.#get<{ output?: string | null }>('output', 'getOutput()', options)).output ?? ''
  }

  /** What is known of the system; what is not known is null, or left out. */
  getSystemDetails(options: ReadOptions = {}): Promise<Readonly<Record<string, JsonValue>>> {
    return this.#get('system-details', 'getSystemDetails()', options)
  }

  /** The experiment's own assets; those of artifacts are not among them. */
  async getAssetList(options: ReadOptions & { readonly type?: string } = {}): Promise<ExperimentAsset[]> {
    checkOptions(options, ['type', 'signal'], 'getAssetList()')
    checkText(options.type, 'type')
    const { type = 'all', signal } = options
    await this.settled(signal)
    const { assets } = await this.#connection.api.json<{ assets: AssetWire[] }>(
      'GET',
      `${restPrefix}/experiment/asset/list`,
      { search: { experimentKey: this.key, type }, signal },
    )
    return assets.map(toAsset)
  }

  /**
   * The bytes of an asset, by its `assetId`.
   *
   * @throws NotFoundError `asset-not-found`; InvalidInputError `asset-is-remote`
   */
  async getAsset(assetId: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkText(assetId, 'assetId')
    return this.#bytes('asset/get-asset', { assetId }, 'getAsset()', options)
  }

  async #get<T>(path: string, what: string, options: ReadOptions): Promise<T> {
    checkOptions(options, ['signal'], what)
    const { signal } = options
    await this.settled(signal)
    const search = { experimentKey: this.key }
    return this.#connection.api.json<T>('GET', `${restPrefix}/experiment/${path}`, { search, signal })
  }

  async #bytes(
    path: string,
    search: Readonly<Record<string, string>>,
    what: string,
    options: ReadOptions,
  ): Promise<Uint8Array> {
    checkOptions(options, ['signal'], what)
    const { signal } = options
    await this.settled(signal)
    const { wholeFile } = await import('./client/resumed-bytes.ts')
    return wholeFile(this.#connection.api, `${restPrefix}/experiment/${path}`, {
      search: { experimentKey: this.key, ...search },
      signal,
    })
  }
}

/** As Comet summarises a metric, a parameter or an other. */
interface Summary {
  readonly name: string
  readonly valueCurrent: string
  readonly valueMin: string
  readonly valueMax: string
  readonly stepCurrent?: number | null
  readonly timestampCurrent: number
}

function toLogged({ name, valueCurrent, timestampCurrent }: Summary): LoggedValue {
  return { name, value: valueCurrent, timestamp: timestampCurrent }
}

interface AssetWire {
  readonly assetId: string
  readonly fileName: string
  readonly fileSize: number
  readonly type: string
  readonly remote?: boolean
  readonly link?: string | null
  readonly metadata?: string | null
  readonly step?: number | null
  readonly runContext?: string | null
  readonly createdAt: number
}

function toAsset(wire: AssetWire): ExperimentAsset {
  const { assetId, fileName, fileSize, type, remote = false, link, metadata, step, runContext, createdAt } = wire
  return {
    assetId,
    fileName,
    fileSize,
    type,
    remote,
    // Comet gives the address of every asset's bytes here; it is a link only where the asset is one.
    link: remote ? (link ?? null) : null,
    metadata: parseWireMetadata(metadata),
    step: step ?? null,
    context: runContext ?? null,
    createdAt,
  }
}
