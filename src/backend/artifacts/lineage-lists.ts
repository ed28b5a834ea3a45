import type { LineageExperiment, LineageReply, LineageVersion } from '../../protocol/lineage.ts'
import type { Access } from '../access.ts'
import type { Experiments } from '../experiments/experiments.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { recordShape, type Shape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'
import { padded } from './artifact-records.ts'
import type { ExperimentVersion } from './lineage.ts'

// What a page of people reads; whoever wants all asks by experiment.
const longestLineage = 1000

/** What the marks of lineage.ts tell, from both sides. */
export class LineageLists {
  readonly #records: StoreRecords
  readonly #experiments: Experiments

  constructor({ records, experiments }: Pick<Services, 'records' | 'experiments'>) {
    this.#records = records
    this.#experiments = experiments
  }

  async list(
    kind: 'inputs' | 'outputs',
    key: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ items: ExperimentVersion[]; next?: string }> {
    const folder = `${kind}/${key}/`
    const { read, next } = await this.#page(folder, after, limit)
    const items = read.map((shape) => ({
      workspace: shape.text('workspace'),
      name: shape.text('name'),
      index: shape.count('index'),
      at: shape.count('at'),
    }))
    return { items, ...(next !== undefined && { next }) }
  }

  /** As far as whoever asks may see: experiments of other workspaces, and versions there, are left out. */
  async of(
    { workspace, name }: ArtifactPlace,
    index: number,
    producer: string | null,
    access: Access,
  ): Promise<LineageReply> {
    const { read } = await this.#page(`consumers/${workspace}/${name}/${padded(index)}/`, undefined, longestLineage)
    const consumers = []
    for (const shape of read) {
      const key = shape.text('key')
      const consumer = await this.#experiment(key, access)
      if (!consumer) continue
      consumers.push({ ...consumer, at: shape.count('at'), outputs: await this.#versions('outputs', key, access) })
    }
    const maker = producer === null ? undefined : await this.#experiment(producer, access)
    return {
      producer: maker ? { ...maker, inputs: await this.#versions('inputs', maker.experimentKey, access) } : null,
      consumers: consumers.sort((a, b) => a.at - b.at),
    }
  }

  async #experiment(experimentKey: string, access: Access): Promise<LineageExperiment | undefined> {
    const experiment = await this.#experiments.find(experimentKey)
    if (experiment && !access.may('reader', experiment.workspace)) return undefined
    return { experimentKey, name: experiment?.name ?? null, project: experiment?.project ?? null }
  }

  async #versions(kind: 'inputs' | 'outputs', key: string, access: Access): Promise<LineageVersion[]> {
    const { items } = await this.list(kind, key, undefined, longestLineage)
    return items
      .filter(({ workspace }) => access.may('reader', workspace))
      .map(({ workspace, name, index }) => ({ workspace, name, index }))
  }

  async #page(
    folder: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ read: Shape[]; next: string | undefined }> {
    const options = { limit, ...(after !== undefined && { after: `${folder}${after}` }) }
    const page = await this.#records.store.list(folder, options)
    const read: Shape[] = []
    for (const { key } of page.entries) {
      const held = await this.#records.read(key, key)
      if (held) read.push(recordShape(held.json, key))
    }
    return { read, next: page.next?.slice(folder.length) }
  }
}
