import { ConflictError, InvalidInputError, NotFoundError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import { padded } from './artifact-records.ts'
import type { ArtifactPlace } from './identifiers.ts'
import { pause } from './pause.ts'
import { recordShape } from './shape.ts'
import { StoreRecords } from './store-records.ts'

/** One run: who made which versions, and from what. Times in milliseconds since 1970. */
export interface Experiment {
  readonly key: string
  readonly name: string
  readonly workspace: string
  readonly project: string
  readonly createdAt: number
  readonly startTime: number
  readonly endTime: number | null
  readonly state: 'running' | 'ended'
}

/** A version that an experiment read. */
export interface ExperimentInput extends ArtifactPlace {
  readonly index: number
  readonly at: number
}

const prefix = 'experiments/'

/** The records of experiments, one each, and marks of what they consumed. */
export class Experiments {
  readonly #store: Store
  readonly #records: StoreRecords

  constructor(store: Store) {
    this.#store = store
    this.#records = new StoreRecords(store)
  }

  /** Creating it again with the same names gives the one there is, so that a lost answer can be asked for again. */
  async create(experiment: Experiment): Promise<Experiment> {
    if (await this.#records.create(keyOf(experiment.key), { ...experiment })) return experiment
    const existing = await this.get(experiment.key)
    const { name, workspace, project } = experiment
    if (existing.name === name && existing.workspace === workspace && existing.project === project) return existing
    throw new ConflictError(`There is an experiment ${experiment.key} already. Leave the key out to get a new one.`, {
      code: 'experiment-exists',
      fields: { experiment: experiment.key },
    })
  }

  /** @throws NotFoundError `experiment-not-found` */
  async get(key: string): Promise<Experiment> {
    return (await this.#held(key)).experiment
  }

  async change(key: string, change: (experiment: Experiment) => Experiment): Promise<Experiment> {
    for (let attempt = 0; ; attempt++) {
      const { experiment, etag } = await this.#held(key)
      const changed = change(experiment)
      if (changed === experiment || (await this.#records.swap(keyOf(key), { etag }, { ...changed }))) return changed
      await pause(
        attempt,
        () => new ConflictError(`Experiment ${key} is being changed by others. Try again.`, { code: 'too-busy' }),
      )
    }
  }

  async *list(): AsyncGenerator<Experiment> {
    let after: string | undefined
    do {
      const page = await this.#store.list(prefix, after === undefined ? {} : { after })
      // One by one: an embedded store holds few, and a list with values would have to be unsealed here.
      for (const { key } of page.entries) {
        const held = await this.#records.read(key, `The record of experiment ${key.slice(prefix.length)}`)
        if (held) yield fromJson(key.slice(prefix.length), held.json)
      }
      after = page.next
    } while (after !== undefined)
  }

  /** Marks a version as consumed; doing so again changes nothing. */
  async addInput(key: string, { workspace, name, index, at }: ExperimentInput): Promise<void> {
    await this.#records.create(`inputs/${key}/${workspace}/${name}/${padded(index)}`, { workspace, name, index, at })
  }

  async inputs(
    key: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ items: ExperimentInput[]; next?: string }> {
    const folder = `inputs/${key}/`
    const page = await this.#store.list(folder, { limit, ...(after !== undefined && { after: `${folder}${after}` }) })
    const items: ExperimentInput[] = []
    for (const entry of page.entries) {
      const what = `An input of experiment ${key}`
      const held = await this.#records.read(entry.key, what)
      if (!held) continue
      const shape = recordShape(held.json, what)
      items.push({
        workspace: shape.text('workspace'),
        name: shape.text('name'),
        index: shape.count('index'),
        at: shape.count('at'),
      })
    }
    return { items, ...(page.next !== undefined && { next: page.next.slice(folder.length) }) }
  }

  async #held(key: string): Promise<{ experiment: Experiment; etag: string }> {
    const held = await this.#records.read(keyOf(checkExperimentKey(key)), `The record of experiment ${key}`)
    if (held) return { experiment: fromJson(key, held.json), etag: held.etag }
    throw new NotFoundError(`No experiment ${key}. Create it first, or see which there are.`, {
      code: 'experiment-not-found',
      fields: { experiment: key },
    })
  }
}

/** @throws InvalidInputError `invalid-experiment-key` */
export function checkExperimentKey(key: string): string {
  // Comet's are 32 to 50 letters and digits; ours 32 hexadecimal digits.
  if (/^[0-9A-Za-z]{32,50}$/.test(key)) return key
  throw new InvalidInputError(
    `${JSON.stringify(key.slice(0, 100))} is not an experiment key: 32 to 50 letters and digits.`,
    {
      code: 'invalid-experiment-key',
    },
  )
}

function keyOf(key: string): string {
  return `${prefix}${key}`
}

function fromJson(key: string, json: Parameters<typeof recordShape>[0]): Experiment {
  const shape = recordShape(json, `The record of experiment ${key}`)
  if (shape.text('key') !== key) throw shape.refuse('another record lies in its place')
  return {
    key,
    name: shape.text('name'),
    workspace: shape.text('workspace'),
    project: shape.text('project'),
    createdAt: shape.count('createdAt'),
    startTime: shape.count('startTime'),
    endTime: shape.optionalCount('endTime') ?? null,
    state: shape.text('state') === 'ended' ? 'ended' : 'running',
  }
}
