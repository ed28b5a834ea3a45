import type { LoggedOther } from '../protocol/log.ts'
import { checkLabel } from './comet-calls.ts'
import type { Experiments } from './experiments.ts'
import { columnType } from './project-state.ts'
import type { ProjectPlace, Projects } from './projects.ts'
import type { Runs } from './runs.ts'
import type { Services } from './services.ts'

/** The "others" of experiments: one of them is the experiment's name. */
export class Others {
  readonly #runs: Runs
  readonly #experiments: Experiments
  readonly #projects: Projects

  constructor({ runs, experiments, projects }: Pick<Services, 'runs' | 'experiments' | 'projects'>) {
    this.#runs = runs
    this.#experiments = experiments
    this.#projects = projects
  }

  async log(experiment: string, place: ProjectPlace, others: readonly LoggedOther[]): Promise<void> {
    await Promise.all([
      this.prepare(experiment, place, others),
      this.#runs.add(
        experiment,
        others.map(({ key, value, timestamp }) => ['other', key, value, timestamp]),
      ),
    ])
  }

  /** What logging them changes elsewhere. */
  async prepare(experiment: string, place: ProjectPlace, others: readonly LoggedOther[]): Promise<void> {
    await this.#projects.addColumns(
      place,
      others.map(({ key, value }) => ({ source: 'log_other', name: key, type: columnType(value) })),
    )
    const named = others.findLast(({ key }) => key === 'Name')
    if (typeof named?.value !== 'string' || named.value === '') return
    const name = checkLabel(named.value, 'experiment')
    await this.#experiments.change(experiment, (before) => (before.name === name ? before : { ...before, name }))
  }
}
