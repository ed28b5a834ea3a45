import { ConflictError } from '../../errors.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'
import { keys, placeText } from './artifact-records.ts'
import { compareVersions } from './semantic-version.ts'
import type { HeldVersion, Versions } from './versions.ts'

/**
 * Which index has a semantic version, and that no two ever have the same.
 *
 * An automatic number is higher than all before it, and `highest` grows with the index, so a search finds it without any index of numbers. A number
 * that was asked for may be lower: it is claimed first, in a record that lists at which indexes writers want to use it. A claim counts only once the
 * record at its index has the number; until then others may add theirs.
 *
 * Why two records never get one number: writer W wants it at k, writer Q at j, and j > k. Each chose its index when all below it existed, and added
 * itself to the claim after that, by compare-and-swap. So when Q added j, record k existed; W's claim on k was in the list, since W adds before it
 * writes and nobody removes an index unless its record has another number; so Q read record k and saw the number. For j = k the store
 * decides, since records are create-only. An automatic number cannot come between: at k > j it is above `highest`, which counts j; at k < j Q's
 * search, made after j was chosen, finds it.
 */
export class VersionNumbers {
  readonly #records: StoreRecords
  readonly #versions: Versions

  constructor({ records, versions }: Pick<Services, 'records' | 'versions'>) {
    this.#records = records
    this.#versions = versions
  }

  /** The version with this number among those below `next`, deleted ones included. */
  async find(place: ArtifactPlace, version: string, next: number): Promise<HeldVersion | undefined> {
    for (const index of (await this.#claimed(place, version))?.indexes ?? []) {
      const held = index < next ? await this.#versions.read(place, index) : undefined
      if (held?.record.version === version) return held
    }
    return this.#search(place, version, next)
  }

  /**
   * Claims a number for the version about to be created at `index`, below which all exist.
   *
   * @throws ConflictError `version-exists`
   */
  async claim(place: ArtifactPlace, version: string, index: number): Promise<void> {
    if (await this.#search(place, version, index)) throw taken(place, version)
    for (let attempt = 0; ; attempt++) {
      const claimed = await this.#claimed(place, version)
      const open: number[] = []
      for (const other of claimed?.indexes ?? []) {
        const held = await this.#versions.read(place, other)
        if (held?.record.version === version) throw taken(place, version)
        if (!held) open.push(other)
      }
      if (open.includes(index)) return
      const json = { ...place, version, indexes: [...open, index] }
      if (await this.#records.swap(keys.claim(place, version), claimed, json)) return
      await pause(attempt, () => taken(place, version))
    }
  }

  async #claimed(place: ArtifactPlace, version: string): Promise<{ indexes: number[]; etag: string } | undefined> {
    const what = `The claim of version ${version} of ${placeText(place)}`
    const held = await this.#records.read(keys.claim(place, version), what)
    if (!held) return undefined
    const shape = recordShape(held.json, what)
    if (
      shape.text('workspace') !== place.workspace ||
      shape.text('name') !== place.name ||
      shape.text('version') !== version
    )
      throw shape.refuse('another record lies in its place')
    return { indexes: shape.list('indexes').filter((index) => typeof index === 'number'), etag: held.etag }
  }

  /** The first index where the highest number so far reaches this one: it has the number, or no automatic one has. */
  async #search(place: ArtifactPlace, version: string, next: number): Promise<HeldVersion | undefined> {
    // Where no number was ever asked for, 3.0.0 is v2.
    const guess = Number(version.split('.')[0]) - 1
    if (guess >= 0 && guess < next) {
      const held = await this.#versions.expect(place, guess)
      if (held.record.version === version) return held
    }
    let low = 0
    let high = next
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const { record } = await this.#versions.expect(place, middle)
      if (compareVersions(record.highest, version) < 0) low = middle + 1
      else high = middle
    }
    const held = low < next ? await this.#versions.expect(place, low) : undefined
    return held?.record.version === version ? held : undefined
  }
}

function taken(place: ArtifactPlace, version: string): ConflictError {
  return new ConflictError(
    `${placeText(place)} has a version ${version} already, or had one. Ask for another number, or leave it out to get the next one.`,
    { code: 'version-exists', fields: { artifact: placeText(place), version } },
  )
}
