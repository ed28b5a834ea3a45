import type { LoggedOther } from '../../protocol/log.ts'
import { checkLabel } from '../comet/comet-calls.ts'
import { columnType } from '../projects/project-state.ts'
import type { ProjectPlace, Projects } from '../projects/projects.ts'
import type { Services } from '../services.ts'
import type { Experiments } from './experiments.ts'
import type { Runs } from './runs.ts'

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

  /**
   * What logging them changes elsewhere.
   *
   * @throws InvalidInputError `invalid-name`, at once: what is refused is not logged.
   */
  prepare(experiment: string, place: ProjectPlace, others: readonly LoggedOther[]): Promise<void> {
    return this.#prepare(experiment, place, others, newNameIn(others))
  }

  async #prepare(
    experiment: string,
    place: ProjectPlace,
    others: readonly LoggedOther[],
    name: string | undefined,
  ): Promise<void> {
    await this.#projects.addColumns(
      place,
      others.map(({ key, value }) => ({ source: 'log_other', name: key, type: columnType(value) })),
    )
    if (name === undefined) return
    await this.#experiments.change(experiment, (before) => (before.name === name ? before : { ...before, name }))
  }
}

function newNameIn(others: readonly LoggedOther[]): string | undefined {
  const value = others.findLast(({ key }) => key === 'Name')?.value
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? checkLabel(value, 'experiment') : undefined
}
