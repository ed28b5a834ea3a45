import { keys } from './artifacts/artifact-records.ts'
import type { Lineage } from './artifacts/lineage.ts'
import type { Versions } from './artifacts/versions.ts'
import { allExperiments } from './experiments/experiment-lists.ts'
import { type Experiments, factsFrom } from './experiments/experiments.ts'
import type { ProjectEvent } from './projects/project-state.ts'
import type { ProjectPlace, Projects } from './projects/projects.ts'
import { recordShape } from './shape.ts'
import type { StoreRecords } from './store-records.ts'

const atOnce = 1000

export interface MigrationParts {
  readonly records: StoreRecords
  readonly experiments: Experiments
  readonly projects: Projects
  readonly lineage: Lineage
  readonly versions: Versions
}

/** Lists experiments in their projects, and marks lineage from both sides. Doing it twice changes nothing. */
export async function migrate(parts: MigrationParts): Promise<void> {
  await listInProjects(parts)
  await markConsumers(parts)
  await markOutputs(parts)
}

async function listInProjects(parts: MigrationParts): Promise<void> {
  const { projects } = parts
  const byProject = new Map<string, { place: ProjectPlace; events: ProjectEvent[] }>()
  for await (const experiment of allExperiments(parts)) {
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

async function markConsumers({ lineage, records }: MigrationParts): Promise<void> {
  for await (const key of keysBelow('inputs/', records)) {
    const held = await records.read(key, key)
    if (!held) continue
    const shape = recordShape(held.json, key)
    const [workspace, name] = [shape.text('workspace'), shape.text('name')]
    await lineage.addInput(key.split('/')[1], { workspace, name, index: shape.count('index'), at: shape.count('at') })
  }
}

async function markOutputs({ lineage, records, versions }: MigrationParts): Promise<void> {
  for await (const key of keysBelow(keys.artifacts, records)) {
    const [, workspace, name, kind, number] = key.split('/')
    if (kind !== 'v') continue
    const index = Number(number)
    const content = (await versions.read({ workspace, name }, index))?.record.content
    if (content?.experimentKey)
      await lineage.addOutput(content.experimentKey, { workspace, name, index, at: content.createdAt })
  }
}

async function* keysBelow(prefix: string, records: StoreRecords): AsyncGenerator<string> {
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await records.store.list(prefix, after === undefined ? {} : { after })
    yield* page.entries.map(({ key }) => key)
    after = page.next
  }
}
