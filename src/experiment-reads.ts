import type { Connection } from './client/connection.ts'
import type {
  ExperimentAsset,
  ExperimentMetadata,
  ExperimentReader,
  GitMetadata,
  LoggedValue,
  MetricSummary,
} from './client/experiment-reader.ts'
import { checkLabel } from './client/log/log-entry.ts'
import type { ExperimentInfo } from './client/open-run.ts'
import type { MetricPoint } from './client/read-series.ts'
import { checkOptions, checkText } from './options.ts'
import type { JsonValue } from './protocol/shapes.ts'

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
  async getMetadata(options: ReadOptions = {}): Promise<ExperimentMetadata> {
    return (await this.#read('getMetadata()', options)).metadata()
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
    return (await this.#read('getMetric()', { signal })).metric(metric, context)
  }

  async getMetricsSummary(options: ReadOptions = {}): Promise<MetricSummary[]> {
    return (await this.#read('getMetricsSummary()', options)).metricsSummary()
  }

  async getParameters(options: ReadOptions = {}): Promise<LoggedValue[]> {
    return (await this.#read('getParameters()', options)).parameters()
  }

  /** Among them the experiment's name, as `Name`. */
  async getOther(options: ReadOptions = {}): Promise<LoggedValue[]> {
    return (await this.#read('getOther()', options)).other()
  }

  async getTags(options: ReadOptions = {}): Promise<string[]> {
    return (await this.#read('getTags()', options)).tags()
  }

  /** `''` when there is none. */
  async getHtml(options: ReadOptions = {}): Promise<string> {
    return (await this.#read('getHtml()', options)).html()
  }

  /** The text that was logged; null when there is none. */
  async getGraph(options: ReadOptions = {}): Promise<string | null> {
    return (await this.#read('getGraph()', options)).graph()
  }

  /** The text that was logged; null when there is none. */
  async getCode(options: ReadOptions = {}): Promise<string | null> {
    return (await this.#read('getCode()', options)).code()
  }

  async getGitMetadata(options: ReadOptions = {}): Promise<GitMetadata> {
    return (await this.#read('getGitMetadata()', options)).gitMetadata()
  }

  /** The changes that were not committed when the experiment began, as `git diff` prints them; `''` when there are none. */
  async getGitPatch(options: ReadOptions = {}): Promise<string> {
    return (await this.#read('getGitPatch()', options)).gitPatch()
  }

  /** What the program wrote, its lines joined. */
  async getOutput(options: ReadOptions = {}): Promise<string> {
    return (await this.#read('getOutput()', options)).output()
  }

  /** What is known of the system; what is not known is null, or left out. */
  async getSystemDetails(options: ReadOptions = {}): Promise<Readonly<Record<string, JsonValue>>> {
    return (await this.#read('getSystemDetails()', options)).systemDetails()
  }

  /** The experiment's own assets; those of artifacts are not among them. */
  async getAssetList(options: ReadOptions & { readonly type?: string } = {}): Promise<ExperimentAsset[]> {
    checkOptions(options, ['type', 'signal'], 'getAssetList()')
    checkText(options.type, 'type')
    const { type = 'all', signal } = options
    return (await this.#read('getAssetList()', { signal })).assetList(type)
  }

  /**
   * The bytes of an asset, by its `assetId`.
   *
   * @throws NotFoundError `asset-not-found`; InvalidInputError `asset-is-remote`
   */
  async getAsset(assetId: string, options: ReadOptions = {}): Promise<Uint8Array> {
    checkText(assetId, 'assetId')
    return (await this.#read('getAsset()', options)).asset(assetId)
  }

  async #read(what: string, options: ReadOptions): Promise<ExperimentReader> {
    checkOptions(options, ['signal'], what)
    const { signal } = options
    await this.settled(signal)
    const { ExperimentReader } = await import('./client/experiment-reader.ts')
    return new ExperimentReader(this.#connection, this.key, signal)
  }
}
