import { isObject, type Shape } from '../shape.ts'
import { refuse, textOf } from './run-fields.ts'
import type { RunEvent, RunState } from './run-state.ts'

/** What is said of the program and the machine, rarely more than once. */
const facts: readonly unknown[] = ['html', 'graph', 'code', 'git', 'system']

/** Reads an entry of what an experiment logged: docs/spec.md, "Ledgers". */
export async function readEntry(shape: Shape, attachment: Uint8Array): Promise<(state: RunState) => void> {
  const events = shape.list('events').map((event) => {
    if (!Array.isArray(event)) throw shape.refuse('an event is not a list')
    return event
  })
  const hasPoints = shape.has('block') && shape.list('block').length > 0
  if (hasPoints || !events.every(isFact)) {
    const { readLogged } = await import('./run-logged.ts')
    return readLogged(events, shape, attachment)
  }
  return (state) => {
    for (const event of events) applyFact(state, event, shape)
  }
}

export function isFact([kind]: RunEvent): boolean {
  return facts.includes(kind)
}

export function applyFact(state: RunState, [kind, value, replaces]: RunEvent, shape: Shape): void {
  const text = () => textOf(value) ?? refuse(shape)
  const object = () => (isObject(value) ? value : refuse(shape))
  switch (kind) {
    case 'html':
      state.html = replaces === true ? text() : state.html + text()
      return
    case 'graph':
      state.graph = text()
      return
    case 'code':
      state.code = text()
      return
    case 'git':
      state.git = object()
      return
    case 'system':
      state.system = { ...state.system, ...object() }
  }
}
