import type { JsonValue } from '../../protocol/shapes.ts'
import type { LedgerKind } from '../experiments/ledger.ts'
import { isObject, type Shape } from '../shape.ts'

/** What lists of experiments say, without reading the experiments' own records. */
export interface ExperimentFacts {
  readonly name: string
  readonly createdAt: number
  readonly startTime: number
  readonly endTime: number | null
  readonly ended: boolean
  readonly archived: boolean
  /** Changes of the record so far: of two facts the later one counts, whichever was written first. */
  readonly revision: number
}

export interface ListedExperiment {
  /** `undefined`: its own record tells. */
  facts: ExperimentFacts | undefined
  /** Changes that were begun and not told to have ended. */
  readonly touches: Set<string>
  gone: boolean
  /** It belongs to another project, and is only shown here. */
  linked: boolean
}

export interface Column {
  readonly source: string
  readonly name: string
  readonly type: string
}

export interface ProjectAbout {
  readonly description: string
  readonly public: boolean
  readonly createdAt: number
  readonly deleted: boolean
  readonly notes?: string
  /** Its experiments are on their way to the project of that name. */
  readonly movingTo?: string
}

/** Which experiments a project has, and what they ever logged. */
export interface ProjectState {
  about: ProjectAbout | undefined
  readonly experiments: Map<string, ListedExperiment>
  readonly columns: Map<string, Column>
}

export type ProjectEvent = readonly JsonValue[]

export function emptyProject(): ProjectState {
  return { about: undefined, experiments: new Map(), columns: new Map() }
}

export const projectKind: LedgerKind<ProjectState, readonly ProjectEvent[]> = {
  empty: emptyProject,
  async fromHead(shape) {
    const { projectFromHead } = await import('./project-head.ts')
    return projectFromHead(shape)
  },
  toEntry: async (items) => ({ json: { events: items.flat() } }),
  async read(shape) {
    const events = shape.list('events').map((event) => (Array.isArray(event) ? event : []))
    return (state) => {
      for (const event of events) applyEvent(state, event, shape)
    }
  },
  folding: async () => (await import('./project-head.ts')).foldProject,
}

/** As Comet names the types of columns. */
export function columnType(value: JsonValue): string {
  if (typeof value === 'number') return 'double'
  return typeof value === 'boolean' ? 'boolean' : 'string'
}

export function columnKey(source: string, name: string): string {
  return `${source}\u0000${name}`
}

export function factsToJson({
  name,
  createdAt,
  startTime,
  endTime,
  ended,
  archived,
  revision,
}: ExperimentFacts): readonly JsonValue[] {
  return [name, createdAt, startTime, endTime, ended, archived, revision]
}

export function factsOf(json: JsonValue | undefined): ExperimentFacts | undefined {
  if (!Array.isArray(json)) return undefined
  const [name, createdAt, startTime, endTime, ended, archived, revision] = json
  if (typeof name !== 'string' || typeof createdAt !== 'number' || typeof startTime !== 'number') return undefined
  return {
    name,
    createdAt,
    startTime,
    endTime: typeof endTime === 'number' ? endTime : null,
    ended: ended === true,
    archived: archived === true,
    revision: typeof revision === 'number' ? revision : 0,
  }
}

function applyEvent(state: ProjectState, [kind, ...rest]: ProjectEvent, shape: Shape): void {
  const [key, id] = rest
  if (kind === 'about') {
    state.about = isObject(key) ? aboutOf(key) : refuse(shape)
    return
  }
  if (kind === 'column') {
    addColumn(state, rest, shape)
    return
  }
  if (typeof key !== 'string') refuse(shape)
  const listed = state.experiments.get(key) ?? { facts: undefined, touches: new Set(), gone: false, linked: false }
  state.experiments.set(key, listed)
  if (kind === 'link') {
    listed.linked = true
    listed.gone = false
    return
  }
  if (typeof id !== 'string') refuse(shape)
  if (kind === 'touch') {
    listed.touches.add(id)
    return
  }
  listed.touches.delete(id)
  if (kind === 'gone') {
    listed.gone = true
    // What was changed before it went, and is told after, does not bring it back.
    const [, , revision] = rest
    if (typeof revision === 'number') listed.facts = { ...(listed.facts ?? noFacts), revision }
    return
  }
  if (kind !== 'is')
    throw shape.refuse(`an event is of the unknown kind ${JSON.stringify(kind).slice(0, 40)}: update to read it`)
  const facts = factsOf(rest[2]) ?? refuse(shape)
  listed.linked = false
  if (facts.revision < (listed.facts?.revision ?? 0)) return
  listed.facts = facts
  listed.gone = false
}

const noFacts: ExperimentFacts = {
  name: '',
  createdAt: 0,
  startTime: 0,
  endTime: null,
  ended: false,
  archived: false,
  revision: 0,
}

/** What is said of a project that is there: one that was deleted while an experiment came into it still is. */
export function livingAbout({ about, experiments }: ProjectState): ProjectAbout | undefined {
  if (!about?.deleted) return about
  const has = [...experiments.values()].some(
    ({ facts, touches, gone, linked }) => facts && touches.size === 0 && !gone && !linked,
  )
  return has ? { ...about, deleted: false } : undefined
}

export function addColumn(state: ProjectState, [source, name, type]: readonly JsonValue[], shape: Shape): void {
  if (typeof source !== 'string' || typeof name !== 'string' || typeof type !== 'string') refuse(shape)
  state.columns.set(columnKey(source, name), { source, name, type })
}

export function aboutOf(json: { readonly [key: string]: JsonValue }): ProjectAbout {
  return {
    description: typeof json.description === 'string' ? json.description : '',
    public: json.public === true,
    createdAt: typeof json.createdAt === 'number' ? json.createdAt : 0,
    deleted: json.deleted === true,
    ...(typeof json.notes === 'string' && { notes: json.notes }),
    ...(typeof json.movingTo === 'string' && { movingTo: json.movingTo }),
  }
}

export function refuse(shape: Shape): never {
  throw shape.refuse('what is said of a project is not as it should be')
}
