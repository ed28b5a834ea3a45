import { beforeAll, describe, expect, it } from 'vitest'
import { type Measured, measure } from './measure.ts'
import { type ProgramName, programs } from './programs.ts'

/**
 * Bytes that a page loads, at most: all that it runs, backend and Arrow too, minified, gzipped. Over one? Import what is needed late when it is needed (`src/client/upload/writing.ts`,
 * `src/backend/routes/route-groups.ts`). A limit goes up only with a reason in docs/decisions/0013-what-a-page-pays-for.md.
 */
const limits: Readonly<Record<ProgramName, number>> = {
  remote: 17_700,
  remoteLog: 26_500,
  remoteRead: 28_100,
  remoteWrite: 51_700,
  embedded: 79_700,
  allButTables: 105_000,
  everything: 159_000,
}

const isBackend = (files: readonly string[]) => files.some((file) => /\/backend-[^/]*\.js$/.test(file))
const isArrow = (files: readonly string[]) => files.some((file) => file.includes('node_modules/apache-arrow/'))

const measured = new Map<ProgramName, Measured>()

beforeAll(async () => {
  for (const name of Object.keys(programs).filter(isProgram)) measured.set(name, await measure(name))
  const rows = Array.from(measured, ([name, { atStart, bytes, modules }]) => {
    const [backend, arrow] = [isBackend, isArrow].map((is) => bytesOf(modules, is))
    const others = bytes - atStart - backend - arrow
    return { program: name, 'at start': atStart, backend, Arrow: arrow, others, total: bytes, limit: limits[name] }
  })
  console.table(rows)
}, 300_000)

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(programs, name)
}

function bytesOf(modules: Measured['modules'], is: (files: readonly string[]) => boolean): number {
  return modules.filter(({ of }) => is(of)).reduce((sum, { bytes }) => sum + bytes, 0)
}

describe('what a page loads', () => {
  it.each(Object.entries(limits))('%s: at most %i bytes', (name, limit) => {
    expect(measured.get(isProgram(name) ? name : 'everything')?.bytes).toBeLessThanOrEqual(limit)
  })

  it('the same at start, whatever the program does later', () => {
    expect(measured.size).toBe(7)
    for (const { atStart } of measured.values()) expect(atStart).toBeLessThanOrEqual(limits.remote)
  })

  it('Arrow with the first table, in modules of its own: of it there is no more than is used', () => {
    for (const [name, { modules }] of measured) {
      const arrow = modules.filter((module) => isArrow(module.of))
      const files = arrow.flatMap((module) => module.of)
      expect(files.some((file) => file.endsWith('apache-arrow/table.mjs'))).toBe(name === 'everything')
      expect(
        files.filter((file) => !file.includes('node_modules/apache-arrow/') || /\/(ipc|io|builder)\//.test(file)),
      ).toEqual([])
    }
  })

  it('nothing of Node, no YAML, and no patterns before there is one', () => {
    for (const { modules } of measured.values())
      expect(
        modules.flatMap((module) => module.of).filter((file) => /yaml|picomatch|portable\/(glob|ignore)-/.test(file)),
      ).toEqual([])
  })
})
