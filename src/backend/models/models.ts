import { ConflictError, NotFoundError } from '../../errors.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { refuse, textOf } from '../experiments/run-fields.ts'
import { assetFromJson, assetToJson } from '../experiments/run-parts.ts'
import type { RunAsset } from '../experiments/run-state.ts'
import { pause } from '../pause.ts'
import { isObject, recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'

export interface ModelPlace {
  readonly workspace: string
  readonly name: string
}

/** Some assets of an experiment, under a number. */
export interface ModelVersion {
  readonly version: string
  readonly experimentKey: string
  /** What the experiment calls it: the group of its assets. */
  readonly group: string
  /** The assets there were when it was registered; of versions of before 0.1.0 their ids alone. */
  readonly assets: readonly (RunAsset | string)[]
  /** Under which the bytes of the assets are kept: see kept-files.ts. */
  readonly kept?: string
  readonly comment: string
  readonly stages: readonly string[]
  readonly createdAt: number
}

/** A model of the registry: one record, replaced by compare-and-swap. */
export interface Model extends ModelPlace {
  readonly description: string
  readonly notes: string
  readonly public: boolean
  readonly createdAt: number
  readonly updatedAt: number
  /** In the order in which they were registered. */
  readonly versions: readonly ModelVersion[]
}

const prefix = 'models/'

/** Models as Comet's registry has them: names for what experiments have logged. */
export class Models {
  readonly #records: StoreRecords

  constructor(records: StoreRecords) {
    this.#records = records
  }

  /** @throws NotFoundError `model-not-found` */
  async get(place: ModelPlace): Promise<Model> {
    const found = await this.find(place)
    if (found) return found
    throw notFound(place)
  }

  async find(place: ModelPlace): Promise<Model | undefined> {
    return (await this.#read(place))?.model
  }

  async list(workspace: string): Promise<Model[]> {
    const models: Model[] = []
    const folder = `${prefix}${workspace}/`
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#records.store.list(folder, after === undefined ? {} : { after })
      for (const { key } of page.entries) {
        const held = await this.#read({ workspace, name: key.slice(folder.length) })
        if (held?.model) models.push(held.model)
      }
      after = page.next
    }
    return models
  }

  /** What its versions keep: see kept-files.ts. */
  async kept(workspace: string): Promise<Set<string>> {
    const versions = (await this.list(workspace)).flatMap((model) => model.versions)
    return new Set(versions.map(({ kept }) => kept).filter((id) => id !== undefined))
  }

  /** `change` decides on what there is; `undefined`: nothing yet, or nothing any more. It may be asked again. */
  async change<Changed extends Model | undefined>(
    place: ModelPlace,
    change: (model: Model | undefined) => Changed | Promise<Changed>,
  ): Promise<Changed> {
    for (let attempt = 0; ; attempt++) {
      const held = await this.#read(place)
      const model = await change(held?.model)
      if (await this.#records.swap(keyOf(place), held, model ? toJson(model) : tombstone(place))) return model
      await pause(
        attempt,
        () =>
          new ConflictError(`The model '${place.name}' is being changed by others. Try again.`, { code: 'too-busy' }),
      )
    }
  }

  async #read(place: ModelPlace): Promise<{ model: Model | undefined; etag: string } | undefined> {
    const what = `The record of model '${place.name}' in workspace '${place.workspace}'`
    const held = await this.#records.read(keyOf(place), what)
    if (!held) return undefined
    const shape = recordShape(held.json, what)
    if (shape.optionalFlag('deleted')) return { model: undefined, etag: held.etag }
    const versions = shape.list('versions').map((one) => {
      const version = recordShape(one, what)
      return {
        version: version.text('version'),
        experimentKey: version.text('experimentKey'),
        group: version.text('group'),
        assets: version
          .list('assets')
          .map((asset) => (isObject(asset) ? assetFromJson(asset, version) : (textOf(asset) ?? refuse(version)))),
        ...(version.has('kept') && { kept: version.text('kept') }),
        comment: version.text('comment'),
        stages: version.texts('stages'),
        createdAt: version.count('createdAt'),
      }
    })
    const model = {
      ...place,
      description: shape.text('description'),
      notes: shape.optionalText('notes') ?? '',
      public: shape.optionalFlag('public') ?? false,
      createdAt: shape.count('createdAt'),
      updatedAt: shape.count('updatedAt'),
      versions,
    }
    return { model, etag: held.etag }
  }
}

export function notFound({ workspace, name }: ModelPlace): NotFoundError {
  return new NotFoundError(`No model '${name}' in workspace '${workspace}'. See which there are: /registry-model.`, {
    code: 'model-not-found',
    fields: { workspace, model: name },
  })
}

function toJson({ versions, ...model }: Model): { [key: string]: JsonValue } {
  const ofAsset = (asset: RunAsset | string) => (typeof asset === 'string' ? asset : assetToJson(asset))
  return { format: 1, ...model, versions: versions.map((one) => ({ ...one, assets: one.assets.map(ofAsset) })) }
}

function tombstone({ workspace, name }: ModelPlace): JsonValue {
  return { format: 1, workspace, name, deleted: true }
}

function keyOf({ workspace, name }: ModelPlace): string {
  return `${prefix}${workspace}/${name}`
}
