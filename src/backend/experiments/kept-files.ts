import { seal, unseal } from '../../content/sealed.ts'
import { eachOf } from '../each-of.ts'
import type { ServiceOptions } from '../services.ts'
import { recordShape } from '../shape.ts'
import { Files } from './files.ts'
import type { RunAsset } from './run-state.ts'

/** What one version of a model keeps. */
export interface Kept {
  readonly id: string
  /** Of the model. */
  readonly workspace: string
  /** Names of files of the experiment. */
  readonly files: readonly string[]
  readonly modified: number
}

/**
 * Files of experiments that registered models keep, whatever becomes of the experiment: `kept/<experiment>/<id>`. A model's record is written after this, and files are
 * deleted after what named them is: whoever deletes sees what is kept, or whoever keeps sees that it is too late.
 */
export class KeptFiles {
  readonly #options: ServiceOptions

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  async keep(experiment: string, kept: Omit<Kept, 'modified'>): Promise<void> {
    const { id, workspace, files } = kept
    await this.#options.records.put(keyOf(experiment, id), await seal({ workspace, files }))
  }

  async letGo(experiment: string, id: string): Promise<void> {
    await this.#options.records.delete(keyOf(experiment, id))
  }

  async list(experiment: string): Promise<Kept[]> {
    const found: Kept[] = []
    const folder = keyOf(experiment, '')
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#options.records.list(folder, after === undefined ? {} : { after })
      const read = await eachOf(page.entries, ({ key, modified }) =>
        this.#read(key, key.slice(folder.length), modified),
      )
      found.push(...read.filter((one) => one !== undefined))
      after = page.next
    }
    return found
  }

  async named(experiment: string): Promise<Set<string>> {
    return new Set((await this.list(experiment)).flatMap(({ files }) => files))
  }

  /** Deletes the bytes of assets that the experiment does not name any more, unless they are kept. */
  async deleteFiles(experiment: string, assets: readonly RunAsset[]): Promise<void> {
    if (assets.length === 0) return
    const kept = await this.named(experiment)
    const files = new Files(this.#options.blobs)
    for (const { file, pieces } of assets) if (!kept.has(file)) await files.delete(experiment, file, pieces.length)
  }

  async #read(key: string, id: string, modified: number): Promise<Kept | undefined> {
    const stored = await this.#options.records.get(key)
    // Let go between.
    if (!stored) return undefined
    const what = `The record of files of an experiment that a model keeps (${key})`
    const shape = recordShape((await unseal(stored.bytes, what)).json, what)
    return { id, workspace: shape.text('workspace'), files: shape.texts('files'), modified }
  }
}

function keyOf(experiment: string, id: string): string {
  return `kept/${experiment}/${id}`
}
