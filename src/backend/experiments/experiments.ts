import { ConflictError, InvalidInputError, NotFoundError } from '../../errors.ts'
import { pause } from '../pause.ts'
import type { ExperimentFacts } from '../projects/project-state.ts'
import type { ProjectPlace, Projects } from '../projects/projects.ts'
import { RecentlyUsed } from '../recently-used.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'

/** One run. Times in milliseconds since 1970. */
export interface Experiment extends ProjectPlace {
  readonly key: string
  readonly name: string
  readonly createdAt: number
  readonly startTime: number
  readonly endTime: number | null
  readonly state: 'running' | 'ended'
  readonly archived: boolean
  readonly deleted: boolean
  /** Changes so far. */
  readonly revision: number
  /** Said to have crashed by whoever watched it. */
  readonly crashed?: boolean
  /** Of the script, as it was told. */
  readonly filePath?: string
}

export type NewExperiment = Omit<Experiment, 'archived' | 'deleted' | 'revision'>

/** Keys of their records begin with it. */
export const experimentsPrefix = 'experiments/'

// What is logged within a second of a deletion by another process goes the way of what was logged just before.
const recentFor = 1000
const recentKept = 1024

/** The records of experiments, one each; their projects list them. */
export class Experiments {
  readonly #records: StoreRecords
  readonly #projects: Projects
  readonly #randomId: () => string
  readonly #recent = new RecentlyUsed<{ experiment: Experiment; until: number }>(recentKept)

  constructor(parts: { records: StoreRecords; projects: Projects; randomId: () => string }) {
    this.#records = parts.records
    this.#projects = parts.projects
    this.#randomId = parts.randomId
  }

  /** Creating it again with the same names gives the one there is, so that a lost answer can be asked for again. */
  async create(wanted: NewExperiment): Promise<Experiment> {
    const experiment: Experiment = { ...wanted, archived: false, deleted: false, revision: 0 }
    if (await this.#records.create(keyOf(wanted.key), { ...experiment })) {
      await this.#list(experiment, this.#randomId())
      return experiment
    }
    const existing = await this.find(wanted.key)
    const { name, workspace, project } = wanted
    if (existing?.name === name && existing.workspace === workspace && existing.project === project) {
      // Whoever made it may not have come as far as that.
      await this.#list(existing, this.#randomId())
      return existing
    }
    throw new ConflictError(`There is an experiment ${wanted.key} already. Leave the key out to get a new one.`, {
      code: 'experiment-exists',
      fields: { experiment: wanted.key },
    })
  }

  /** @throws NotFoundError `experiment-not-found` */
  async get(key: string): Promise<Experiment> {
    return (await this.#held(key)).experiment
  }

  /**
   * The same as it was at most a second ago: for writes that come by the thousand.
   *
   * @throws NotFoundError `experiment-not-found`
   */
  async recent(key: string): Promise<Experiment> {
    const known = this.#recent.get(key)
    const now = performance.now()
    if (known && known.until > now) return known.experiment
    const experiment = await this.get(key)
    this.#recent.set(key, { experiment, until: now + recentFor })
    return experiment
  }

  async find(key: string): Promise<Experiment | undefined> {
    const held = await this.#records.read(keyOf(checkExperimentKey(key)), `The record of experiment ${key}`)
    const experiment = held && fromJson(key, held.json)
    return experiment?.deleted ? undefined : experiment
  }

  /** The record is the commit point. Before it the project is told that it will change, so that a list made after a crash looks for itself. */
  async change(key: string, change: (experiment: Experiment) => Experiment): Promise<Experiment> {
    const touch = this.#randomId()
    const touched = new Set<string>()
    for (let attempt = 0; ; attempt++) {
      const { experiment, etag } = await this.#held(key)
      const changed = change(experiment)
      if (changed === experiment) return changed
      const { workspace, project } = experiment
      const place = `${workspace}/${project}`
      if (!touched.has(place)) await this.#projects.add({ workspace, project }, [['touch', key, touch]])
      touched.add(place)
      const next = { ...changed, revision: experiment.revision + 1 }
      this.#recent.delete(key)
      if (await this.#records.swap(keyOf(key), { etag }, { ...next })) {
        // Again: it may have been read between.
        this.#recent.delete(key)
        const left = next.deleted || next.project !== project || next.workspace !== workspace
        if (left) await this.#projects.add({ workspace, project }, [['gone', key, touch, next.revision]])
        if (!next.deleted) await this.#list(next, touch)
        return next
      }
      await pause(
        attempt,
        () => new ConflictError(`Experiment ${key} is being changed by others. Try again.`, { code: 'too-busy' }),
      )
    }
  }

  /** Ending twice keeps the first end: a repetition is a lost answer asked for again. */
  async end(key: string, at: number): Promise<void> {
    await this.change(key, (experiment) =>
      experiment.state === 'ended' ? experiment : { ...experiment, endTime: experiment.endTime ?? at, state: 'ended' },
    )
  }

  async #list(experiment: Experiment, touch: string): Promise<void> {
    const { workspace, project, key, createdAt } = experiment
    const { about } = await this.#projects.read({ workspace, project })
    const events = [this.#projects.is(key, touch, factsFrom(experiment))]
    if (!about || about.deleted)
      events.unshift(['about', { description: '', public: false, createdAt, deleted: false }])
    await this.#projects.add({ workspace, project }, events)
  }

  async #held(key: string): Promise<{ experiment: Experiment; etag: string }> {
    const held = await this.#records.read(keyOf(checkExperimentKey(key)), `The record of experiment ${key}`)
    const experiment = held && fromJson(key, held.json)
    if (experiment && !experiment.deleted) return { experiment, etag: held.etag }
    throw new NotFoundError(`No experiment ${key}. Create it first, or see which there are.`, {
      code: 'experiment-not-found',
      fields: { experiment: key },
    })
  }
}

export function factsFrom(experiment: Experiment): ExperimentFacts {
  const { name, createdAt, startTime, endTime, state, archived, revision } = experiment
  return { name, createdAt, startTime, endTime, ended: state === 'ended', archived, revision }
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
  return `${experimentsPrefix}${key}`
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
    archived: shape.optionalFlag('archived') ?? false,
    deleted: shape.optionalFlag('deleted') ?? false,
    revision: shape.optionalCount('revision') ?? 0,
    crashed: shape.optionalFlag('crashed'),
    filePath: shape.optionalText('filePath'),
  }
}
