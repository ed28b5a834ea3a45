import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { type ConnectOptions, memoryStore } from '../../src/index.ts'
import { silentLogger } from '../../src/logging.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { open, quiet } from './world.ts'

function server() {
  const store = memoryStore()
  return createBackend({ records: store, blobs: store }).fetch
}

const places: [name: string, options: () => ConnectOptions][] = [
  ['a store in this process', () => ({ store: memoryStore() })],
  ['a server', () => ({ url: 'https://server.example', fetch: server() })],
  ['a server without routes of our own', () => ({ url: 'https://server.example', fetch: onlyComet(server()) })],
  ['Comet', () => ({ url: 'https://comet.example', apiKey: 'k', fetch: cometDouble('k').fetch })],
]

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    '\ud800',
    'a\udc00b',
    '\u0000',
    '\u2028',
    '__proto__',
    'NaN',
    'null',
    '</script>',
    'x'.repeat(100_000),
  ),
)
const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '', '$tidemark'))
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    text,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}))
const value = fc.oneof(
  json,
  fc.double(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 1e21, 2 ** 53),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
)

/** As the README says. JSON has no half characters: where text is kept in UTF-8, they are replaced. */
function asText(one: unknown): string {
  if (typeof one === 'string') return one
  if (typeof one === 'number' && !Number.isFinite(one)) return String(one)
  if (typeof one === 'bigint') return String(one)
  return one instanceof Date ? one.toISOString() : JSON.stringify(one)
}

const wellFormed = (one: string) => one.replace(/\p{Surrogate}/gu, '\ufffd')

describe.each(places)('values of every kind, over %s', (_, options) => {
  it('parameters and others come back as text, whatever they are', async () => {
    const tidemark = await open(options())
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 40 }), async (values) => {
        const experiment = await tidemark.createExperiment(quiet)
        for (const [at, one] of values.entries()) experiment.logParameter(`p${at}`, one)
        for (const [at, one] of values.entries()) experiment.logOther(`o${at}`, one)
        await experiment.end()
        const [parameters, others] = [await experiment.getParameters(), await experiment.getOther()]
        for (const [at, one] of values.entries()) {
          const expected = wellFormed(asText(one))
          const found = [
            parameters.find(({ name }) => name === `p${at}`)?.value,
            others.find(({ name }) => name === `o${at}`)?.value,
          ]
          expect(found.map((each) => each !== undefined && wellFormed(each))).toEqual([expected, expected])
        }
        expect(experiment.undelivered).toEqual([])
      }),
      { numRuns: 8 },
    )
  })

  it('every number comes back as it was logged', async () => {
    const tidemark = await open(options())
    const experiment = await tidemark.createExperiment(quiet)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double(), { minLength: 1, maxLength: 40 }), fc.uuid(), async (numbers, name) => {
        for (const [step, one] of numbers.entries()) experiment.logMetric(name, one, { step })
        const points = await experiment.getMetric(name)
        // JSON has no -0.
        expect(points.map((point) => point.value + 0)).toEqual(numbers.map((one) => one + 0))
        expect(points.map(({ step }) => step)).toEqual(numbers.map((_one, step) => step))
      }),
      { numRuns: 8 },
    )
    await experiment.end()
  })

  it('what is none is refused at once, and nothing else is lost by it', async () => {
    const tidemark = await open(options())
    const experiment = await tidemark.createExperiment(quiet)
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const trap = new Proxy({}, { ownKeys: () => ['boom'], getOwnPropertyDescriptor: () => undefined, get: () => cycle })
    const getter = {
      get boom() {
        throw new Error('boom')
      },
    }
    const never = [
      () => 1,
      Symbol('s'),
      new Date(Number.NaN),
      new Map(),
      /x/,
      cycle,
      getter,
      { deep: [{ f: () => 1 }] },
    ]
    for (const [at, one] of never.entries()) {
      experiment.logParameter(`before ${at}`, at)
      expect(() => experiment.logParameter('p', one)).toThrow(
        expect.objectContaining({ category: 'InvalidInputError' }),
      )
      expect(() => experiment.logOther('o', one)).toThrow(expect.objectContaining({ category: 'InvalidInputError' }))
    }
    experiment.logParameter('proxy', trap)
    await experiment.end()
    expect((await experiment.getParameters()).map(({ name }) => name).sort()).toEqual(
      [...never.map((_one, at) => `before ${at}`), 'proxy'].sort(),
    )
  })
})

describe('a clock that jumps', () => {
  it('back or forth takes nothing away and changes no order', async () => {
    const real = Date.now
    const jumps = [0, 3_600_000, -86_400_000, 86_400_000 * 365, -3_600_000]
    let calls = 0
    for (const [, options] of places) {
      const tidemark = await open(options())
      const experiment = await tidemark.createExperiment(quiet)
      Date.now = () => real() + jumps[calls++ % jumps.length]
      try {
        for (let step = 0; step < 30; step++) experiment.logMetric('loss', step, { step })
        for (let n = 0; n < 3; n++) await experiment.uploadArtifact('data', { n })
        experiment.logParameter('lr', 1)
        experiment.logParameter('lr', 2)
        await experiment.end()
      } finally {
        Date.now = real
      }
      expect((await experiment.getMetric('loss')).map(({ value: one }) => one)).toEqual(
        Array.from({ length: 30 }, (_, step) => step),
      )
      expect(await experiment.getParameters()).toMatchObject([{ name: 'lr', value: '2' }])
      expect(await (await tidemark.getArtifact('data')).get()).toEqual({ n: 2 })
    }
  })
})

describe('offline, and online again', () => {
  it('the queue keeps its order and its bound, and what was acknowledged is there', async () => {
    const behind = server()
    let online = true
    const fetch = async (request: Request) => {
      if (online) return behind(request)
      throw new TypeError('fetch failed')
    }
    const tidemark = await open({
      url: 'https://server.example',
      fetch,
      logger: silentLogger,
    })
    const experiment = await tidemark.createExperiment(quiet)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { minLength: 1, maxLength: 8 }),
        fc.uuid(),
        async (turns, name) => {
          let logged = 0
          let acknowledged = 0
          for (const [up, count] of turns) {
            online = up
            for (let n = 0; n < count; n++) experiment.logMetric(name, logged++)
            const told = await experiment.flush().then(
              () => 'delivered',
              (error: { code?: unknown }) => error.code,
            )
            // Nothing to send is delivered offline as well.
            expect(told).toBe(up || acknowledged === logged ? 'delivered' : 'not-delivered')
            if (told === 'delivered') acknowledged = logged
            if (!up) continue
            const points = await experiment.getMetric(name)
            expect(points.map(({ value: one }) => one)).toEqual(Array.from({ length: acknowledged }, (_, at) => at))
          }
          online = true
          await experiment.flush()
          expect((await experiment.getMetric(name)).map(({ value: one }) => one)).toEqual(
            Array.from({ length: logged }, (_, at) => at),
          )
        },
      ),
      { numRuns: 20 },
    )
    online = false
    const full = () => {
      for (;;) experiment.logOther('big', 'x'.repeat(1_000_000))
    }
    expect(full).toThrow(expect.objectContaining({ code: 'outbox-full' }))
    await expect(experiment.end()).rejects.toMatchObject({ code: 'not-delivered' })
    online = true
    await experiment.end()
    expect(experiment.undelivered).toEqual([])
  })
})
