import { beforeAll, describe, expect, it } from 'vitest'
import { type Measured, measure } from './measure.ts'
import { type ProgramName, programs } from './programs.ts'

/**
 * Bytes that a page loads, at most: minified, gzipped. Over one? Import what is needed late when it is needed (`src/client/writing.ts`), and in the backend load routes that a page does not ask
 * for when they are asked for (`src/backend/collection-routes.ts`). A limit goes up only with a reason in docs/decisions/0013-what-a-page-pays-for.md.
 *
 * The backend is counted apart: who reaches a server has none.
 */
const limits: Readonly<Record<ProgramName, number>> = {
  remote: 20_000,
  remoteLog: 29_500,
  remoteRead: 34_000,
  remoteWrite: 64_000,
  embedded: 71_000,
  allButTables: 93_000,
  everything: 132_000,
}

const isBackend = (files: readonly string[]) => files.some((file) => /\/backend-[^/]*\.js$/.test(file))
const isArrow = (files: readonly string[]) => files.some((file) => file.includes('node_modules/apache-arrow/'))

const measured = new Map<ProgramName, Measured>()

beforeAll(async () => {
  for (const name of Object.keys(programs).filter(isProgram)) measured.set(name, await measure(name))
  const rows = Array.from(measured, ([name, { atStart, bytes, modules }]) => {
    const [backend, arrow] = [isBackend, isArrow].map((is) => bytesOf(modules, is))
    return { program: name, 'at start': atStart, 'then ours': bytes - atStart - backend - arrow, backend, arrow }
  })
  console.table(rows)
}, 300_000)

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(programs, name)
}

function bytesOf(modules: Measured['modules'], is: (files: readonly string[]) => boolean): number {
  return modules.filter(({ of }) => is(of)).reduce((sum, { bytes }) => sum + bytes, 0)
}

function of(name: ProgramName): Measured {
  const found = measured.get(name)
  if (!found) throw new Error(`${name} was not measured.`)
  return found
}

describe('what a page loads', () => {
  it.each(Object.entries(limits))('%s: at most %i bytes', (name, limit) => {
    const { bytes, modules } = of(isProgram(name) ? name : 'everything')
    expect(bytes - bytesOf(modules, isBackend) - bytesOf(modules, isArrow)).toBeLessThanOrEqual(limit)
  })

  it('the same at start, whatever the program does later', () => {
    for (const { atStart } of measured.values()) expect(atStart).toBeLessThanOrEqual(limits.remote)
  })

  it('Arrow with the first table, in a module of its own', () => {
    for (const [name, { modules }] of measured) {
      const arrow = modules.filter((module) => isArrow(module.of))
      expect(arrow, name).toHaveLength(name === 'everything' ? 1 : 0)
      for (const one of arrow) expect(one.of.filter((file) => file.includes('/dist/'))).toEqual([])
    }
  })

  it('nothing of Node, no YAML, and no patterns before there is one', () => {
    for (const { modules } of measured.values())
      expect(modules.flatMap((module) => module.of).filter((file) => /yaml|picomatch|\/ignore\//.test(file))).toEqual(
        [],
      )
  })
})
