import { ConflictError } from '../../errors.ts'
import type { Metadata } from '../../protocol/shapes.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'
import { keys, placeText, type VersionLabels } from './artifact-records.ts'
import type { Heads } from './heads.ts'

/** Tags and metadata of versions as they were changed after the commit. */
export class Labels {
  readonly #records: StoreRecords
  readonly #heads: Heads

  constructor({ records, heads }: Pick<Services, 'records' | 'heads'>) {
    this.#records = records
    this.#heads = heads
  }

  async read(place: ArtifactPlace, index: number): Promise<VersionLabels> {
    return (await this.#held(place, index))?.labels ?? {}
  }

  async change(place: ArtifactPlace, index: number, change: (labels: VersionLabels) => VersionLabels): Promise<void> {
    // The mark in the head first: from then on readers look for changed labels.
    await this.#heads.change(place, (head) => (head.relabelled ? head : { ...head, relabelled: true }))
    for (let attempt = 0; ; attempt++) {
      const held = await this.#held(place, index)
      const { versionTags, metadata, aliased } = change(held?.labels ?? {})
      const json: Metadata = {
        ...placeJson(place),
        index,
        ...(versionTags && { versionTags }),
        ...(metadata && { metadata }),
        ...(aliased && { aliased }),
      }
      if (await this.#records.swap(keys.labels(place, index), held, json)) return
      await pause(
        attempt,
        () =>
          new ConflictError(`The tags of ${placeText(place)}:v${index} are being changed by others. Try again.`, {
            code: 'too-busy',
          }),
      )
    }
  }

  async #held(place: ArtifactPlace, index: number): Promise<{ labels: VersionLabels; etag: string } | undefined> {
    const what = `The labels of ${placeText(place)}:v${index}`
    const held = await this.#records.read(keys.labels(place, index), what)
    if (!held) return undefined
    const shape = recordShape(held.json, what)
    if (
      shape.text('workspace') !== place.workspace ||
      shape.text('name') !== place.name ||
      shape.count('index') !== index
    )
      throw shape.refuse('another record lies in its place')
    const [versionTags, metadata] = [shape.optionalTexts('versionTags'), shape.optionalObject('metadata')]
    const aliased = shape.optionalFlag('aliased') ?? false
    const labels = { ...(versionTags && { versionTags }), ...(metadata && { metadata }), ...(aliased && { aliased }) }
    return { labels, etag: held.etag }
  }
}

function placeJson({ workspace, name }: ArtifactPlace): { workspace: string; name: string } {
  return { workspace, name }
}
