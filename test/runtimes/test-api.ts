/**
 * What takes the place of `vitest` where it does not run: in other runtimes, the bundler puts this module wherever a suite imports `vitest`. The matchers are
 * vitest's own, so that a suite means the same everywhere; of the rest there is what the suites use, and another name does not bundle.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  type ExpectStatic,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import * as chai from 'chai'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect = expectation()

function expectation(): ExpectStatic {
  const assert = (value: unknown, message?: string) => chai.expect(value, message)
  const asymmetric: unknown = Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT)
  const complete = Object.assign(assert, chai.expect, asymmetric) as unknown as ExpectStatic
  setState({ assertionCalls: 0, isExpectingAssertions: false }, complete)
  return complete
}

type Hook = () => unknown
type Body = (...values: never[]) => unknown

interface Group {
  readonly name: string
  readonly above?: Group
  readonly children: (Group | Test)[]
  readonly before: Hook[]
  readonly after: Hook[]
  readonly beforeAll: Hook[]
  readonly afterAll: Hook[]
}

interface Test {
  readonly name: string
  readonly run: Hook
}

/** The outcome of one test. */
export interface Outcome {
  readonly room: string
  readonly name: string
  readonly ms: number
  /** What was wrong; absent when nothing was. */
  readonly error?: string
}

let group = newGroup('')
let finishers: Hook[] = []

function newGroup(name: string, above?: Group): Group {
  return { name, above, children: [], before: [], after: [], beforeAll: [], afterAll: [] }
}

export const describe = Object.assign(
  (name: string, body: Hook): void => {
    const inner = newGroup(name, group)
    group.children.push(inner)
    group = inner
    try {
      body()
    } finally {
      group = inner.above ?? inner
    }
  },
  { each: (rows: readonly unknown[]) => each(rows, (name, run) => describe(name, run)) },
)

export const it = Object.assign(
  (name: string, run: Hook, _timeout?: number): void => {
    group.children.push({ name, run })
  },
  { each: (rows: readonly unknown[]) => each(rows, (name, run) => it(name, run)) },
)
export const test = it

export const beforeEach = (hook: Hook): void => void group.before.push(hook)
export const afterEach = (hook: Hook): void => void group.after.push(hook)
export const beforeAll = (hook: Hook): void => void group.beforeAll.push(hook)
export const afterAll = (hook: Hook): void => void group.afterAll.push(hook)

/** Runs when the test that calls it is over. */
export const onTestFinished = (hook: Hook): void => void finishers.push(hook)

function each(rows: readonly unknown[], declare: (name: string, run: Hook) => void) {
  return (name: string, body: Body, _timeout?: number): void => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row]
      declare(titled(name, row, values), () => Reflect.apply(body, undefined, values))
    }
  }
}

/** `%s` and the like become the values in turn, `$name` a member of the row. */
function titled(name: string, row: unknown, values: readonly unknown[]): string {
  let next = 0
  return name
    .replace(/%[sdij]/g, () => shown(values[next++]))
    .replace(/\$(\w+)/g, (whole, key) =>
      typeof row === 'object' && row !== null ? shown(Reflect.get(row, key)) : whole,
    )
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : typeof value
}

/** Runs what was declared by `declare`, one after another, and gives each outcome when it is known. */
export async function* outcomes(room: string, declare: () => unknown): AsyncGenerator<Outcome> {
  const top = newGroup('')
  group = top
  try {
    await declare()
    if (top.children.length === 0) throw new Error('There are no tests.')
    yield* runGroup(room, '', top, [])
  } catch (error) {
    yield { room, name: 'declares its tests, and what they share', ms: 0, error: told(error) }
  }
}

async function* runGroup(
  room: string,
  path: string,
  { children, before, after, beforeAll, afterAll }: Group,
  around: readonly { before: Hook[]; after: Hook[] }[],
): AsyncGenerator<Outcome> {
  const inside = [...around, { before, after }]
  for (const hook of beforeAll) await hook()
  for (const child of children) {
    const name = path === '' ? child.name : `${path} > ${child.name}`
    if ('children' in child) yield* runGroup(room, name, child, inside)
    else {
      const begun = performance.now()
      const failure = await failureOf(child, inside)
      yield { room, name, ms: Math.round(performance.now() - begun), ...failure }
    }
  }
  for (const hook of afterAll) await hook()
}

async function failureOf(
  { run }: Test,
  around: readonly { before: Hook[]; after: Hook[] }[],
): Promise<{ error?: string }> {
  const errors: unknown[] = []
  const attempt = async (hook: Hook) => {
    try {
      await hook()
    } catch (error) {
      errors.push(error)
    }
  }
  finishers = []
  for (const hook of around.flatMap(({ before }) => before)) await attempt(hook)
  if (errors.length === 0) await attempt(run)
  for (const hook of finishers.toReversed()) await attempt(hook)
  for (const hook of around.toReversed().flatMap(({ after }) => after)) await attempt(hook)
  return errors.length === 0 ? {} : { error: errors.map(told).join('\n') }
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${told(error.cause)}`
  return `${error.name}: ${error.message}\n${error.stack?.split('\n').slice(1, 6).join('\n') ?? ''}${cause}`
}
