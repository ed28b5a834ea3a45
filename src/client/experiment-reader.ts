import { restPrefix } from '../protocol/routes.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'
import type { Connection } from './connection.ts'
import type { MetricPoint } from './read-series.ts'
import { parseWireMetadata } from './wire-metadata.ts'

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

/** What an experiment holds, as a server tells it. Loaded with the first question. */
export class ExperimentReader {
  readonly #connection: Connection
  readonly #key: string
  readonly #signal: AbortSignal | undefined

  constructor(connection: Connection, key: string, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#key = key
    this.#signal = signal
  }

  metadata(): Promise<ExperimentMetadata> {
    return this.#get('metadata')
  }

  async metric(name: string, context: string | undefined): Promise<MetricPoint[]> {
    const { readSeries } = await import('./read-series.ts')
    return readSeries(this.#connection, this.#key, { name, context }, this.#signal)
  }

  async metricsSummary(): Promise<MetricSummary[]> {
    const { parseMetricNumber } = await import('./read-series.ts')
    const { values } = await this.#get<{ values: Summary[] }>('metrics/summary')
    return values.map(({ name, valueCurrent, valueMin, valueMax, stepCurrent, timestampCurrent }) => ({
      name,
      current: parseMetricNumber(valueCurrent),
      min: parseMetricNumber(valueMin),
      max: parseMetricNumber(valueMax),
      step: stepCurrent ?? null,
      timestamp: timestampCurrent,
    }))
  }

  async parameters(): Promise<LoggedValue[]> {
    return (await this.#get<{ values: Summary[] }>('parameters')).values.map(toLogged)
  }

  async other(): Promise<LoggedValue[]> {
    return (await this.#get<{ values: Summary[] }>('log-other')).values.map(toLogged)
  }

  async tags(): Promise<string[]> {
    return (await this.#get<{ tags?: string[] }>('tags')).tags ?? []
  }

  async html(): Promise<string> {
    return (await this.#get<{ html?: string | null }>('html')).html ?? ''
  }

  async graph(): Promise<string | null> {
    return (await this.#get<{ graph?: string | null }>('graph')).graph ?? null
  }

  async code(): Promise<string | null> {
    return (await this.#get<{ code?: string | null }>('code')).code ?? null
  }

  async gitMetadata(): Promise<GitMetadata> {
    const found = await this.#get<Partial<GitMetadata>>('git/metadata')
    const { branch = null, origin = null, parent = null, user = null, root = null } = found
    return { branch, origin, parent, user, root }
  }

  async gitPatch(): Promise<string> {
    const bytes = await this.#bytes('git/patch')
    const { gitPatchText } = await import('./surroundings/git-patch.ts')
    return gitPatchText(bytes)
  }

  async output(): Promise<string> {
    return (await this.#get<{ output?: string | null }>('output')).output ?? ''
  }

  systemDetails(): Promise<Readonly<Record<string, JsonValue>>> {
    return this.#get('system-details')
  }

  async assetList(type: string): Promise<ExperimentAsset[]> {
    return (await this.#get<{ assets: AssetWire[] }>('asset/list', { type })).assets.map(toAsset)
  }

  asset(assetId: string): Promise<Uint8Array> {
    return this.#bytes('asset/get-asset', { assetId })
  }

  #get<T>(path: string, search?: Readonly<Record<string, string>>): Promise<T> {
    return this.#connection.api.json<T>('GET', `${restPrefix}/experiment/${path}`, this.#about(search))
  }

  async #bytes(path: string, search?: Readonly<Record<string, string>>): Promise<Uint8Array> {
    const { wholeFile } = await import('./api/resumed-bytes.ts')
    return wholeFile(this.#connection.api, `${restPrefix}/experiment/${path}`, this.#about(search))
  }

  #about(search: Readonly<Record<string, string>> | undefined) {
    return { search: { experimentKey: this.#key, ...search }, signal: this.#signal }
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
