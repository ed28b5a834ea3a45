import { keys } from './artifact-records.ts'
import { type Experiments, factsFrom } from './experiments.ts'
import type { Lineage } from './lineage.ts'
import type { ProjectEvent } from './project-state.ts'
import type { ProjectPlace, Projects } from './projects.ts'
import { recordShape } from './shape.ts'
import type { StoreRecords } from './store-records.ts'
import type { Versions } from './versions.ts'

const mark = 'format/experiments'
const atOnce = 1000

export interface MigrationParts {
  readonly records: StoreRecords
  readonly experiments: Experiments
  readonly projects: Projects
  readonly lineage: Lineage
  readonly versions: Versions
}

/** Stores of 0.1.0 knew no lists of projects, and lineage from one side only: done once, when such a store is first listed. Doing it twice changes nothing. */
export class Migration {
  readonly #parts: MigrationParts
  #done: Promise<void> | undefined

  constructor(parts: MigrationParts) {
    this.#parts = parts
  }

  ensure(): Promise<void> {
    this.#done ??= this.#run().catch((error: unknown) => {
      this.#done = undefined
      throw error
    })
    return this.#done
  }

  async #run(): Promise<void> {
    const { records } = this.#parts
    if (await records.read(mark, mark)) return
    await this.#listExperiments()
    await this.#markConsumers()
    await this.#markOutputs()
    await records.create(mark, { format: 1 })
  }

  async #listExperiments(): Promise<void> {
    const { experiments, projects } = this.#parts
    const byProject = new Map<string, { place: ProjectPlace; events: ProjectEvent[] }>()
    for await (const experiment of experiments.all()) {
      const { workspace, project, key, createdAt } = experiment
      const name = `${workspace}/${project}`
      const about: ProjectEvent = ['about', { description: '', public: false, createdAt, deleted: false }]
      const known = byProject.get(name) ?? { place: { workspace, project }, events: [about] }
      known.events.push(projects.is(key, 'migration', factsFrom(experiment)))
      byProject.set(name, known)
    }
    for (const { place, events } of byProject.values())
      for (let at = 0; at < events.length; at += atOnce) await projects.add(place, events.slice(at, at + atOnce))
  }

  async #markConsumers(): Promise<void> {
    const { lineage, records } = this.#parts
    for await (const key of this.#keys('inputs/')) {
      const held = await records.read(key, key)
      if (!held) continue
      const shape = recordShape(held.json, key)
      const [workspace, name] = [shape.text('workspace'), shape.text('name')]
      await lineage.addInput(key.split('/')[1], { workspace, name, index: shape.count('index'), at: shape.count('at') })
    }
  }

  async #markOutputs(): Promise<void> {
    const { lineage, versions } = this.#parts
    for await (const key of this.#keys(keys.artifacts)) {
      const [, workspace, name, kind, number] = key.split('/')
      if (kind !== 'v') continue
      const index = Number(number)
      const content = (await versions.read({ workspace, name }, index))?.record.content
      if (content?.experimentKey)
        await lineage.addOutput(content.experimentKey, { workspace, name, index, at: content.createdAt })
    }
  }

  async *#keys(prefix: string): AsyncGenerator<string> {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#parts.records.store.list(prefix, after === undefined ? {} : { after })
      yield* page.entries.map(({ key }) => key)
      after = page.next
    }
  }
}
