import { Ledger } from '../experiments/ledger.ts'
import type { RunsParts } from '../experiments/runs.ts'
import { RecentlyUsed } from '../recently-used.ts'
import {
  type Column,
  columnKey,
  type ExperimentFacts,
  factsToJson,
  livingAbout,
  type ProjectAbout,
  type ProjectEvent,
  type ProjectState,
  projectKind,
} from './project-state.ts'

export interface ProjectPlace {
  readonly workspace: string
  readonly project: string
}

type ProjectLedger = Ledger<ProjectState, readonly ProjectEvent[]>

// 100 bytes for each experiment of each of them.
const heldOpen = 256

/** What projects know of their experiments, so that a list of thousands takes one read. */
export class Projects {
  readonly #parts: RunsParts
  readonly #open = new RecentlyUsed<ProjectLedger>(heldOpen)

  constructor(parts: RunsParts) {
    this.#parts = parts
  }

  /** The live state: take what is needed before waiting for anything. */
  read(place: ProjectPlace): Promise<ProjectState> {
    return this.#of(place).read()
  }

  /** Resolves when all of them are durable. */
  add(place: ProjectPlace, events: readonly ProjectEvent[]): Promise<void> {
    return this.#of(place).append({ decide: () => events, bytes: events.length * 200 })
  }

  /** Makes the project unless there is one, and tells whether it did. */
  async ensure(place: ProjectPlace, about: Omit<ProjectAbout, 'deleted'>): Promise<boolean> {
    let made = false
    await this.#of(place).append({
      decide: (state) => {
        made = !livingAbout(state)
        return made ? [['about', { ...about, deleted: false }]] : undefined
      },
      lane: 'about',
      bytes: 500,
    })
    return made
  }

  /** Changes what is said of a project; false when it is not there. */
  async changeAbout(place: ProjectPlace, change: (about: ProjectAbout) => ProjectAbout, bytes = 500): Promise<boolean> {
    let isThere = false
    await this.#of(place).append({
      decide: (state) => {
        const about = livingAbout(state)
        isThere = about !== undefined
        return about && [['about', { ...change(about) }]]
      },
      lane: 'about',
      bytes,
    })
    return isThere
  }

  async isThere(place: ProjectPlace): Promise<boolean> {
    return livingAbout(await this.read(place)) !== undefined
  }

  /** Notes which names its experiments have logged. One known already costs nothing. */
  async addColumns(place: ProjectPlace, columns: readonly Column[]): Promise<void> {
    const ledger = this.#of(place)
    const missing = (state: ProjectState) =>
      columns.filter(({ source, name }) => !state.columns.has(columnKey(source, name)))
    const known = this.#known(place)
    const isNew = columns.filter(({ source, name }) => !known.has(columnKey(source, name)))
    if (isNew.length === 0) return
    await ledger.append({
      decide: (state) => {
        const events = missing(state).map(({ source, name, type }) => ['column', source, name, type])
        return events.length > 0 ? events : undefined
      },
      lane: 'columns',
      bytes: isNew.length * 100,
    })
    for (const { source, name } of isNew) known.add(columnKey(source, name))
  }

  /** What is to be told of an experiment that was changed, or made. */
  is(key: string, id: string, facts: ExperimentFacts): ProjectEvent {
    return ['is', key, id, factsToJson(facts)]
  }

  // Columns are never removed, so what was once seen in the store need not be looked up again.
  readonly #columns = new Map<string, Set<string>>()

  #known({ workspace, project }: ProjectPlace): Set<string> {
    const base = `projects/${workspace}/${project}`
    const known = this.#columns.get(base) ?? new Set<string>()
    this.#columns.set(base, known)
    return known
  }

  #of({ workspace, project }: ProjectPlace): ProjectLedger {
    const base = `projects/${workspace}/${project}`
    return this.#open.get(base) ?? this.#open.set(base, new Ledger({ ...this.#parts, base, kind: projectKind }))
  }
}
