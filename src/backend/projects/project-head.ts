import type { Folded } from '../experiments/ledger.ts'
import { isObject, type Shape } from '../shape.ts'
import { aboutOf, addColumn, emptyProject, factsOf, factsToJson, type ProjectState, refuse } from './project-state.ts'

/** What the head of a project holds. */
export function projectFromHead(shape: Shape): ProjectState {
  const state = emptyProject()
  const about = shape.raw('about')
  if (isObject(about)) state.about = aboutOf(about)
  for (const one of shape.list('experiments')) {
    const [key, facts, touches, gone, linked] = Array.isArray(one) ? one : []
    if (typeof key !== 'string' || !Array.isArray(touches)) return refuse(shape)
    state.experiments.set(key, {
      facts: factsOf(facts),
      touches: new Set(touches.filter((id) => typeof id === 'string')),
      gone: gone === true,
      linked: linked === true,
    })
  }
  for (const one of shape.list('columns')) addColumn(state, Array.isArray(one) ? one : [], shape)
  return state
}

export async function foldProject({ about, experiments, columns }: ProjectState): Promise<Folded> {
  // Gone ones have told readers of older heads all they had to.
  const left = [...experiments].filter(([, { gone, touches }]) => !gone || touches.size > 0)
  return {
    json: {
      about: about ? { ...about } : null,
      experiments: left.map(([key, { facts, touches, gone, linked }]) => [
        key,
        facts ? factsToJson(facts) : null,
        [...touches],
        gone,
        linked,
      ]),
      columns: [...columns.values()].map(({ source, name, type }) => [source, name, type]),
    },
  }
}
