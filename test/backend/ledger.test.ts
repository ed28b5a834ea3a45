import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import type { LogRequest, SeriesReply } from '../../src/protocol/log.ts'
import { restPrefix, routes } from '../../src/protocol/routes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type Store, storeConflict } from '../../src/stores/store.ts'
import { Caller } from '../conformance/backend-caller.ts'
import { copyStore, faultyStore } from './faulty-store.ts'

const open = (store: Store): Backend => createBackend({ records: store, blobs: store })
const callerOf = (backend: Backend) => new Caller(backend.fetch)

async function newExperiment(caller: Caller): Promise<string> {
  return (await caller.rest<{ experimentKey: string }>('POST', '/write/experiment/create', {})).experimentKey
}

function batch(writer: string, sequence: number, values: readonly number[], name = 'm'): LogRequest {
  return { writer, sequence, metrics: [{ name, values, timestamps: values.map(() => sequence) }] }
}

const log = (caller: Caller, key: string, request: object) =>
  caller.json<{ repeated: boolean }>('POST', routes.log(key), request)
const series = (caller: Caller, key: string, name = 'm', rest = '') =>
  caller.json<SeriesReply>('GET', `${routes.series(key)}?name=${name}${rest}`)

describe('what experiments log', () => {
  it('of several backends on one store: everything once, and in the order of each', async () => {
    const store = memoryStore()
    const callers = Array.from({ length: 4 }, () => callerOf(open(store)))
    const key = await newExperiment(callers[0])
    const each = 150
    await Promise.all(
      callers.map(async (caller, who) => {
        for (let at = 0; at < each; at++)
          if (at % 3 === 0) await log(caller, key, batch(`writer-${who}`, at / 3 + 1, [who * 1000 + at]))
          else
            await caller.rest('POST', '/write/experiment/metric', {
              experimentKey: key,
              metricName: 'm',
              metricValue: who * 1000 + at,
              timestamp: 1,
            })
      }),
    )
    for (const caller of [callers[2], callerOf(open(store))]) {
      const { values, count } = await series(caller, key)
      expect(count).toBe(4 * each)
      for (let who = 0; who < 4; who++)
        expect(values.filter((value) => Math.floor(Number(value) / 1000) === who)).toEqual(
          Array.from({ length: each }, (_, at) => who * 1000 + at),
        )
    }
  })

  it('many at once share entries, and each is there when it is answered', async () => {
    const store = memoryStore()
    const caller = callerOf(open(store))
    const key = await newExperiment(caller)
    const other = callerOf(open(store))
    const seen = await Promise.all(
      Array.from({ length: 300 }, async (_, at) => {
        await caller.rest('POST', '/write/experiment/metric', {
          experimentKey: key,
          metricName: `m${at % 7}`,
          metricValue: at,
        })
        const { values } = await series(other, key, `m${at % 7}`)
        return values.includes(at)
      }),
    )
    expect(seen.every(Boolean)).toBe(true)
    const page = await store.list(`runs/${key}/log/`)
    // 300 in far fewer entries than that.
    expect(page.entries.length).toBeLessThan(64)
  })

  it('stays when the answer about a head is lost, and somebody else has built upon it before that is noticed', async () => {
    const store = memoryStore()
    const other = callerOf(open(store))
    const key = await newExperiment(other)
    const many = (caller: Caller, writer: string, from: number) =>
      Array.from({ length: 40 }, (_, at) => at).reduce(
        (before, at) => before.then(async () => void (await log(caller, key, batch(writer, at + 1, [from + at])))),
        Promise.resolve(),
      )
    let build: (() => void) | undefined
    const built = new Promise<void>((resolve) => {
      build = resolve
    })
    const losing: Store = {
      ...store,
      async put(name, bytes, options) {
        const put = await store.put(name, bytes, options)
        if (!build || name !== `runs/${key}/head`) return put
        const done = build
        build = undefined
        await many(other, 'the-other', 100)
        done()
        // Network file systems answer so when a rename is sent again.
        throw storeConflict(name, 'this store', 'it is another one')
      },
    }
    const first = open(losing)
    await many(callerOf(first), 'the-first', 0)
    // Heads are written beside what is logged.
    await built
    await first.settled()
    const { values } = await series(callerOf(open(store)), key)
    const all = [0, 100].flatMap((from) => Array.from({ length: 40 }, (_, at) => from + at))
    expect([...values].sort((one, two) => Number(one) - Number(two))).toEqual(all)
  })

  it('of one batch is logged once, however often it is sent, also at the same time', async () => {
    const caller = callerOf(open(memoryStore()))
    const key = await newExperiment(caller)
    const sent = await Promise.all(Array.from({ length: 8 }, () => log(caller, key, batch('writer-1', 1, [1, 2]))))
    expect(sent.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(await log(caller, key, batch('writer-1', 2, [3]))).toEqual({ repeated: false })
    expect(await log(caller, key, batch('writer-1', 1, [1, 2]))).toEqual({ repeated: true })
    expect(await log(caller, key, batch('writer-2', 1, [4]))).toEqual({ repeated: false })
    expect((await series(caller, key)).values).toEqual([1, 2, 3, 4])
    const gap = await caller.ask('POST', routes.log(key), { body: batch('writer-1', 4, [9]) })
    expect([gap.status, (await gap.json()).tidemark]).toMatchObject([
      409,
      { code: 'sequence-gap', fields: { expected: 3 } },
    ])
  })

  it('comes back as it was: every number, absent steps, contexts, pages', async () => {
    const number = fc.double()
    const optional = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null })
    const columns = fc.array(fc.record({ value: number, step: optional, epoch: optional, timestamp: fc.nat() }), {
      minLength: 1,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(columns, { minLength: 1, maxLength: 5 }), async (batches) => {
        const caller = callerOf(open(memoryStore()))
        const key = await newExperiment(caller)
        const wire = (value: number) =>
          Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
        for (const [at, points] of batches.entries())
          await log(caller, key, {
            writer: 'writer-1',
            sequence: at + 1,
            metrics: [
              {
                name: 'x',
                context: 'train',
                values: points.map(({ value }) => wire(value)),
                steps: points.map(({ step }) => step),
                epochs: points.map(({ epoch }) => epoch),
                timestamps: points.map(({ timestamp }) => timestamp),
              },
            ],
          })
        const all = batches.flat()
        const read = await series(caller, key, 'x', '&context=train')
        // JSON has one zero.
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
        expect(read.values).toEqual(plain(all.map(({ value }) => wire(value))))
        expect(read.steps ?? all.map(() => null)).toEqual(plain(all.map(({ step }) => step)))
        expect(read.epochs ?? all.map(() => null)).toEqual(plain(all.map(({ epoch }) => epoch)))
        expect(read.timestamps).toEqual(all.map(({ timestamp }) => timestamp))
        const paged: unknown[] = []
        for (let after: string | undefined = '0'; after !== undefined; ) {
          const page: SeriesReply = await series(caller, key, 'x', `&context=train&limit=7&after=${after}`)
          paged.push(...page.values)
          after = page.next
        }
        expect(paged).toEqual(read.values)
      }),
      { numRuns: 40 },
    )
  })

  it('is told in summaries, whatever was folded, merged and read anew', async () => {
    const store = memoryStore()
    const caller = callerOf(open(store))
    const key = await newExperiment(caller)
    const values: number[] = []
    for (let sequence = 1; sequence <= 700; sequence++) {
      const some = Array.from({ length: 30 }, (_, at) => Math.sin(sequence * 30 + at))
      values.push(...some)
      await log(caller, key, {
        ...batch('writer-1', sequence, some),
        output: [{ offset: sequence, text: `line ${sequence}` }],
      })
    }
    const fresh = callerOf(open(store))
    expect((await series(fresh, key)).values).toEqual(values)
    const { values: summary } = await fresh.rest<{ values: Record<string, string>[] }>(
      'GET',
      `/experiment/metrics/summary?experimentKey=${key}`,
    )
    expect(summary[0]).toMatchObject({
      valueMax: String(Math.max(...values)),
      valueMin: String(Math.min(...values)),
      valueCurrent: String(values.at(-1)),
    })
    const { output } = await fresh.rest<{ output: string }>('GET', `/experiment/output?experimentKey=${key}`)
    expect(output.split('\n')).toEqual(Array.from({ length: 700 }, (_, at) => `line ${at + 1}`))
    // Merged eight at a time, and what was merged is gone.
    expect((await store.list(`runs/${key}/m/`)).entries.length).toBeLessThan(20)
  })

  it('survives every crash: nothing answered is lost, nothing is there twice', async () => {
    const prepared = memoryStore()
    const first = callerOf(open(prepared))
    const key = await newExperiment(first)
    // Just short of a fold: the requests below go through it.
    for (let sequence = 1; sequence <= 31; sequence++) await log(first, key, batch('writer-1', sequence, [sequence]))
    for (const point of ['before', 'after'] as const)
      for (const forever of [false, true])
        for (let operation = 1; operation <= 24; operation++) {
          const inner = memoryStore()
          await copyStore(prepared, inner)
          const store = faultyStore(inner)
          const backend = open(store)
          const caller = callerOf(backend)
          store.failAt(operation, point, forever)
          const answered: number[] = []
          for (let sequence = 32; sequence <= 36; sequence++) {
            const reply = await caller.ask('POST', routes.log(key), { body: batch('writer-1', sequence, [sequence]) })
            if (reply.status === 200) answered.push(sequence)
          }
          store.heal()
          await backend.close()
          const other = callerOf(open(inner))
          const { values } = await series(other, key)
          const what = `${operation} ${point} ${forever}`
          expect(values.slice(0, 31), what).toEqual(Array.from({ length: 31 }, (_, at) => at + 1))
          expect(new Set(values).size, what).toBe(values.length)
          for (const sequence of answered) expect(values, what).toContain(sequence)
          // The writer goes on where it was: what it sends again has one effect.
          for (let sequence = Math.max(31, ...answered) + 1; sequence <= 40; sequence++)
            await log(other, key, batch('writer-1', sequence, [sequence]))
          expect((await series(callerOf(open(inner)), key)).values, what).toEqual(
            Array.from({ length: 40 }, (_, at) => at + 1),
          )
        }
  })

  it('is refused when it is no batch', async () => {
    const caller = callerOf(open(memoryStore()))
    const key = await newExperiment(caller)
    const good = batch('writer-1', 1, [1])
    const bad: object[] = [
      { ...good, writer: 'x' },
      { ...good, writer: 'a b c d e f' },
      { ...good, sequence: 0 },
      { ...good, sequence: 1.5 },
      { ...good, colour: 'red' },
      { ...good, metrics: [{ name: 'm', values: [1], timestamps: [] }] },
      { ...good, metrics: [{ name: 'm', values: [1], timestamps: [1], steps: [1, 2] }] },
      { ...good, metrics: [{ name: 'm', values: ['1'], timestamps: [1] }] },
      { ...good, metrics: [{ name: 'm', values: [null], timestamps: [1] }] },
      { ...good, metrics: [{ name: '', values: [1], timestamps: [1] }] },
      { ...good, metrics: [{ name: 'm', values: [1], timestamps: [1], more: 1 }] },
      { ...good, metrics: {} },
      { ...good, tags: ['a', 1] },
      { ...good, output: [{ offset: -1, text: 'x' }] },
      { ...good, parameters: [{ name: 'p', timestamp: 'x' }] },
      { ...good, others: [{ key: 'Name', value: 'a\nb', timestamp: 1 }] },
      { ...good, metrics: [{ name: 'm', values: Array(20_001).fill(1), timestamps: Array(20_001).fill(1) }] },
      [],
    ]
    for (const request of bad)
      expect(
        await caller.failure('POST', routes.log(key), request),
        JSON.stringify(request).slice(0, 80),
      ).toMatchObject({ status: 400, code: expect.any(String) })
    expect(await caller.failure('POST', routes.log('f'.repeat(32)), good)).toMatchObject({
      status: 404,
      code: 'experiment-not-found',
    })
    expect((await series(caller, key)).count).toBe(0)
  })

  it('goes with its experiment', async () => {
    const store = memoryStore()
    const caller = callerOf(open(store))
    const key = await newExperiment(caller)
    for (let sequence = 1; sequence <= 40; sequence++) await log(caller, key, batch('writer-1', sequence, [sequence]))
    await caller.rest('GET', `/write/experiment/set-status?experimentKey=${key}`)
    await caller.rest('GET', `/write/experiment/delete?experimentKey=${key}`)
    expect((await store.list(`runs/${key}/`)).entries).toEqual([])
    expect((await store.list('beats/')).entries).toEqual([])
    expect(
      await caller.failure('POST', `${restPrefix}/write/experiment/metric`, {
        experimentKey: key,
        metricName: 'm',
        metricValue: 1,
      }),
    ).toMatchObject({ sdk: 90211 })
  })
})

describe('collection', () => {
  it('frees what cut-off uploads and deletions left, and keeps what experiments have', async () => {
    const store = memoryStore()
    const caller = callerOf(open(store))
    const key = await newExperiment(caller)
    const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nkept\r\n--b--\r\n'
    const upload = new Request(`http://backend.test${restPrefix}/write/experiment/upload-asset?experimentKey=${key}`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: form,
    })
    expect((await caller.fetch(upload)).status).toBe(200)
    await store.put(`files/${key}/${'0'.repeat(32)}/000000`, new Uint8Array(100))
    await store.put(`files/${'f'.repeat(32)}/${'0'.repeat(32)}/000000`, new Uint8Array(11))
    const collect = (options: object) => caller.json<{ bytesFreed: number }>('POST', routes.collect(), options)
    expect(await collect({ graceMs: 0, dryRun: true })).toMatchObject({ bytesFreed: 111 })
    expect(await collect({ graceMs: 60_000 })).toMatchObject({ bytesFreed: 0 })
    expect(await collect({ graceMs: 0 })).toMatchObject({ bytesFreed: 111 })
    const { entries } = await store.list('files/')
    expect(entries.map(({ size }) => size)).toEqual([4])
  })

  it('keeps what open versions refer to, until they are closed or given up', async () => {
    const store = memoryStore()
    const caller = callerOf(open(store))
    const key = await newExperiment(caller)
    const begin = () =>
      caller.rest<{ artifactVersionId: string }>('POST', '/write/artifacts/upsert', {
        artifactName: 'a',
        artifactType: 't',
        experimentKey: key,
      })
    const bytes = new Uint8Array(50_000).map((_, at) => (at * 2654435761) >>> 13)
    const send = async (id: string, from: Uint8Array) => {
      const form = new FormData()
      form.append('file', new Blob([from.slice()]), 'x')
      const path = `${restPrefix}/write/experiment/upload-asset?experimentKey=${key}&fileName=x&artifactVersionId=${id}`
      expect(
        (await caller.fetch(new Request(`http://backend.test${path}`, { method: 'POST', body: form }))).status,
      ).toBe(200)
    }
    const packs = async () => (await store.list('packs/')).entries.length
    const [one, two] = [await begin(), await begin()]
    await send(one.artifactVersionId, bytes)
    await send(two.artifactVersionId, bytes.subarray(1))
    await caller.json('POST', routes.collect(), { graceMs: 0 })
    expect(await packs()).toBe(2)
    const state = (id: string, to: string) =>
      caller.rest('POST', '/write/artifacts/state', { artifactVersionId: id, state: to })
    await state(one.artifactVersionId, 'CLOSED')
    await state(two.artifactVersionId, 'ERROR')
    await caller.json('POST', routes.collect(), { graceMs: 0 })
    expect(await packs()).toBe(1)
    expect(await caller.files(await caller.version('a'))).toEqual({ x: new TextDecoder().decode(bytes) })
    expect((await store.list('open/')).entries).toEqual([])
  })
})

describe('lists of projects', () => {
  it('tell the truth after every crash while an experiment is changed', async () => {
    const prepared = memoryStore()
    const key = await newExperiment(callerOf(open(prepared)))
    const listed = async (caller: Caller, archived: boolean) => {
      const { experiments } = await caller.rest<{ experiments: { experimentKey: string }[] }>(
        'GET',
        `/experiments?workspaceName=default&projectName=general&archived=${archived}`,
      )
      return experiments.some(({ experimentKey }) => experimentKey === key)
    }
    for (const point of ['before', 'after'] as const)
      for (let operation = 1; operation <= 16; operation++) {
        const inner = memoryStore()
        await copyStore(prepared, inner)
        const store = faultyStore(inner)
        const caller = callerOf(open(store))
        store.failAt(operation, point, true)
        await caller.ask('GET', `${restPrefix}/write/experiment/archive?experimentKey=${key}`)
        const other = callerOf(open(inner))
        const { archived } = await other.rest<{ archived: boolean }>('GET', `/experiment/metadata?experimentKey=${key}`)
        expect([await listed(other, false), await listed(other, true)], `${operation} ${point}`).toEqual([
          !archived,
          archived,
        ])
      }
  })

  it('tell the truth whatever happens in the middle of a change', async () => {
    const changes: ((key: string) => readonly [method: string, path: string, body?: object])[] = [
      (key) => ['GET', `/write/experiment/archive?experimentKey=${key}`],
      () => ['POST', '/write/experiment/create', { workspaceName: 'default', projectName: 'general' }],
    ]
    const others: typeof changes = [
      (key) => ['GET', `/write/experiment/delete?experimentKey=${key}`],
      (experimentKey) => [
        'POST',
        '/write/experiment/move',
        { experimentKeys: [experimentKey], targetWorkspaceName: 'default', targetProjectName: 'other' },
      ],
      () => [
        'POST',
        '/write/project/delete',
        { workspaceName: 'default', projectName: 'general', deleteAllExperiments: true },
      ],
    ]
    for (const change of changes)
      for (const other of others)
        for (let operation = 1; operation <= 20; operation++) {
          const inner = memoryStore()
          const first = callerOf(open(inner))
          const key = await newExperiment(first)
          const asked = callerOf(open(interrupted(inner, operation, () => callerOf(open(inner)).rest(...other(key)))))
          const [method, path, body] = change(key)
          const { experimentKey } = await asked.ask(method, restPrefix + path, { body }).then((reply) => reply.json())
          const caller = callerOf(open(inner))
          const truth = new Map<string, string>()
          for (const one of new Set([key, experimentKey ?? key])) {
            const reply = await caller.ask('GET', `${restPrefix}/experiment/metadata?experimentKey=${one}`)
            if (reply.status === 200) truth.set(one, (await reply.json()).projectName)
          }
          const listed = new Map<string, string>()
          const { projects } = await caller.rest<{ projects: { projectName: string }[] }>(
            'GET',
            '/projects?workspaceName=default',
          )
          for (const { projectName } of projects)
            for (const archived of [true, false]) {
              const { experiments } = await caller.rest<{ experiments: { experimentKey: string }[] }>(
                'GET',
                `/experiments?workspaceName=default&projectName=${projectName}&archived=${archived}`,
              )
              for (const one of experiments) listed.set(one.experimentKey, projectName)
            }
          expect(listed, `${path} with ${other(key)[1]} before operation ${operation}`).toEqual(truth)
        }
  })

  it('hold thousands, made by several backends at once', async () => {
    const store = memoryStore()
    const callers = Array.from({ length: 3 }, () => callerOf(open(store)))
    const made = await Promise.all(Array.from({ length: 600 }, (_, at) => newExperiment(callers[at % 3])))
    const { experiments } = await callerOf(open(store)).rest<{ experiments: { experimentKey: string }[] }>(
      'GET',
      '/experiments?workspaceName=default&projectName=general',
    )
    expect(new Set(experiments.map(({ experimentKey }) => experimentKey))).toEqual(new Set(made))
    expect(experiments).toHaveLength(600)
  })
})

/** A store before whose n-th operation something else happens. */
function interrupted(store: Store, n: number, happen: () => Promise<unknown>): Store {
  let operations = 0
  const run = async <T>(operation: () => Promise<T>): Promise<T> => {
    if (++operations === n) await happen()
    return operation()
  }
  return {
    uri: store.uri,
    get: (key, options) => run(() => store.get(key, options)),
    put: (key, bytes, options) => run(() => store.put(key, bytes, options)),
    delete: (key, options) => run(() => store.delete(key, options)),
    list: (prefix, options) => run(() => store.list(prefix, options)),
  }
}
