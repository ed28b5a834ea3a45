import type { ArtifactPlace } from '../identifiers.ts'
import type { StoreRecords } from '../store-records.ts'
import { padded } from './artifact-records.ts'

/** A version that an experiment read or made. */
export interface ExperimentVersion extends ArtifactPlace {
  readonly index: number
  readonly at: number
}

/** Which experiment read and made which versions: marks that are made once, found from both sides: see lineage-lists.ts. */
export class Lineage {
  readonly #records: StoreRecords

  constructor(records: StoreRecords) {
    this.#records = records
  }

  /** Marks a version as read; doing so again changes nothing. */
  async addInput(key: string, version: ExperimentVersion): Promise<void> {
    await this.#mark('inputs', key, version)
    const { workspace, name, index, at } = version
    await this.#records.create(`consumers/${workspace}/${name}/${padded(index)}/${key}`, { key, at })
  }

  async addOutput(key: string, version: ExperimentVersion): Promise<void> {
    await this.#mark('outputs', key, version)
  }

  async #mark(kind: 'inputs' | 'outputs', key: string, version: ExperimentVersion): Promise<void> {
    const { workspace, name, index, at } = version
    await this.#records.create(`${kind}/${key}/${workspace}/${name}/${padded(index)}`, { workspace, name, index, at })
  }
}
