import { eachOf } from '../each-of.ts'
import type { ExperimentFacts } from '../projects/project-state.ts'
import type { ProjectPlace } from '../projects/projects.ts'
import type { Services } from '../services.ts'
import { type Experiment, experimentsPrefix } from './experiments.ts'

type Parts = Pick<Services, 'records' | 'experiments' | 'projects'>

/** Those of one project, in the order in which they came; also those only shown there. */
export async function listExperiments({ experiments, projects }: Parts, place: ProjectPlace): Promise<Experiment[]> {
  const { experiments: all } = await projects.read(place)
  const listed = [...all].filter(([, { gone }]) => !gone)
  const found = new Array<Experiment | undefined>(listed.length)
  const unsure: number[] = []
  for (const [at, [key, { facts, touches, linked }]] of listed.entries()) {
    if (facts && touches.size === 0 && !linked) found[at] = fromFacts(key, place, facts)
    else unsure.push(at)
  }
  await eachOf(unsure, async (at) => {
    const [key, { linked }] = listed[at]
    const experiment = await experiments.find(key)
    if (experiment && (linked || isIn(experiment, place))) found[at] = experiment
  })
  return found.filter((one) => one !== undefined)
}

/** Every record there is, also those that no project lists yet. */
export async function* allExperiments({ records, experiments }: Parts): AsyncGenerator<Experiment> {
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await records.store.list(experimentsPrefix, after === undefined ? {} : { after })
    const read = await eachOf(page.entries, ({ key }) => experiments.find(key.slice(experimentsPrefix.length)))
    for (const one of read) if (one) yield one
    after = page.next
  }
}

/** Whether it belongs to the project. */
export function isIn(experiment: ProjectPlace, { workspace, project }: ProjectPlace): boolean {
  return experiment.workspace === workspace && experiment.project === project
}

function fromFacts(key: string, { workspace, project }: ProjectPlace, facts: ExperimentFacts): Experiment {
  const { ended, ...rest } = facts
  return { key, workspace, project, ...rest, state: ended ? 'ended' : 'running', deleted: false }
}
