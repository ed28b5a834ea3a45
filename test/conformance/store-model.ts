import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareKeys } from '../../src/stores/key-order.ts'
import type { Store } from '../../src/stores/store.ts'
import type { StoreUnderTest } from './store.ts'

interface Model {
  readonly values: Map<string, { bytes: Uint8Array; etag: string }>
  /** Every etag ever given, with its key: none comes twice. */
  readonly etags: Set<string>
}

interface Real {
  readonly stores: readonly Store[]
}

// Few and related, so that commands meet.
const keys = fc.constantFrom('a', 'A', 'a/b', 'a/b/c', 'a-b', 'é', 'e\u0301', '\u{1f600}', '\uff5e')
const bytes = fc.uint8Array({ maxLength: 9 })
const which = fc.nat(1)

/** Any sequence of commands does to a store, through two instances, what it does to a `Map`. */
export function storeModel(name: string, open: () => Promise<StoreUnderTest>): void {
  it(`${name} behaves like a Map`, async () => {
    const commands = fc.commands(
      [
        fc.tuple(which, keys, bytes).map(([i, key, value]) => put(i, key, value, 'always')),
        fc.tuple(which, keys, bytes).map(([i, key, value]) => put(i, key, value, 'ifAbsent')),
        fc.tuple(which, keys, bytes).map(([i, key, value]) => put(i, key, value, 'ifMatch')),
        fc.tuple(which, keys, bytes).map(([i, key, value]) => put(i, key, value, 'stale')),
        fc.tuple(which, keys, fc.nat(10), fc.nat(10)).map(([i, key, start, end]) => get(i, key, start, end)),
        fc.tuple(which, keys).map(([i, key]) => remove(i, key)),
        fc
          .tuple(
            which,
            fc.constantFrom('', 'a', 'a/', 'a/b', 'e', '\uff5e'),
            fc.option(keys),
            fc.integer({ min: 1, max: 4 }),
          )
          .map(([i, prefix, after, limit]) => list(i, prefix, after, limit)),
      ],
      { maxCommands: 40 },
    )
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const under = await open()
        try {
          const stores = [under.store, await under.again()]
          const setup = () => ({ model: { values: new Map(), etags: new Set<string>() }, real: { stores } })
          await fc.asyncModelRun(setup, steps)
        } finally {
          await under.dispose()
        }
      }),
    )
  })
}

type Step = fc.AsyncCommand<Model, Real>

function step(name: string, run: (model: Model, real: Real) => Promise<void>): Step {
  return { check: () => true, run, toString: () => name }
}

function storeOf({ stores }: Real, i: number): Store {
  const store = stores[i]
  if (!store) throw new Error('no such instance')
  return store
}

function put(i: number, key: string, value: Uint8Array, when: 'always' | 'ifAbsent' | 'ifMatch' | 'stale'): Step {
  return step(`put ${i} ${key} [${value}] ${when}`, async ({ values, etags }, real) => {
    const held = values.get(key)
    const options =
      when === 'always'
        ? {}
        : when === 'ifAbsent'
          ? { ifAbsent: true }
          : {
              ifMatch:
                when === 'ifMatch' && held ? held.etag : ([...etags].find((etag) => etag !== held?.etag) ?? 'none'),
            }
    const allowed = when === 'always' || (when === 'ifAbsent' && !held) || (when === 'ifMatch' && held)
    const result = storeOf(real, i).put(key, value, options)
    if (!allowed) {
      await expect(result).rejects.toMatchObject({ code: 'store-conflict' })
      return
    }
    const { etag } = await result
    expect(etags.has(etag)).toBe(false)
    etags.add(etag)
    values.set(key, { bytes: value.slice(), etag })
  })
}

function get(i: number, key: string, start: number, end: number): Step {
  return step(`get ${i} ${key} ${start}-${end}`, async ({ values }, real) => {
    const held = values.get(key)
    const whole = held && { ...held, size: held.bytes.length }
    expect(await storeOf(real, i).get(key)).toEqual(whole)
    const part = whole && { ...whole, bytes: whole.bytes.slice(start, Math.max(start, end)) }
    expect(await storeOf(real, i).get(key, { range: { start, end } })).toEqual(part)
  })
}

function remove(i: number, key: string): Step {
  return step(`delete ${i} ${key}`, async ({ values }, real) => {
    await storeOf(real, i).delete(key)
    values.delete(key)
  })
}

function list(i: number, prefix: string, after: string | null, limit: number): Step {
  return step(`list ${i} ${prefix} ${after} ${limit}`, async ({ values }, real) => {
    const expected = [...values]
      .filter(([key]) => key.startsWith(prefix) && (after === null || compareKeys(key, after) > 0))
      .sort(([a], [b]) => compareKeys(a, b))
    const page = await storeOf(real, i).list(prefix, { limit, values: true, ...(after === null ? {} : { after }) })
    expect(page.entries.map(({ key, etag, bytes: found, size }) => ({ key, etag, bytes: found, size }))).toEqual(
      expected.slice(0, limit).map(([key, held]) => ({ key, ...held, size: held.bytes.length })),
    )
    expect(page.next).toBe(expected.length > limit ? page.entries.at(-1)?.key : undefined)
  })
}
