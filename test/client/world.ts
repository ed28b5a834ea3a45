import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { connectWith } from '../../src/connect.ts'
import { type ConnectOptions, type Experiment, memoryStore, type Store, type Tidemark } from '../../src/index.ts'

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-client-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The stores that everything is tried on. */
export const places = [
  { place: 'memory', open: async () => memoryStore() },
  { place: 'fs', open: async () => join(await temporaryFolder(), 'store') },
] as const

/** A connection that is closed with the test, and never pauses. */
export async function open(options: ConnectOptions = { store: memoryStore() }): Promise<Tidemark> {
  const tidemark = await connectWith(options, { sleep: async () => undefined })
  onTestFinished(() => tidemark.close())
  return tidemark
}

/** Nothing goes on beside the experiment: what a test counts is what it does. */
export const quiet = { keepActive: false, logCode: false, logSystemDetails: false } as const

export async function begin(options?: ConnectOptions): Promise<{ tidemark: Tidemark; experiment: Experiment }> {
  const tidemark = await open(options)
  return { tidemark, experiment: await tidemark.createExperiment({ project: 'flowers', ...quiet }) }
}

/** A store in memory that calls `before` with each operation and its number, from 1. */
export function watchedStore(before: (verb: 'get' | 'put' | 'delete' | 'list', count: number) => void): Store {
  const store = memoryStore()
  let count = 0
  const watched =
    <Rest extends unknown[], Result>(
      verb: 'get' | 'put' | 'delete' | 'list',
      call: (...rest: Rest) => Promise<Result>,
    ) =>
    async (...rest: Rest): Promise<Result> => {
      before(verb, ++count)
      return call(...rest)
    }
  return {
    uri: store.uri,
    get: watched('get', store.get.bind(store)),
    put: watched('put', store.put.bind(store)),
    delete: watched('delete', store.delete.bind(store)),
    list: watched('list', store.list.bind(store)),
  }
}

export const bytesOf = (text: string) => new TextEncoder().encode(text)

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Bytes that do not repeat and do not deflate; the same for the same seed. */
export function noise(length: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** A value that the types would not let pass: what JavaScript users may give. */
export function untyped<Wanted>(value: unknown): Wanted {
  const key: string = 'value'
  return Reflect.get({ value }, key)
}

/** Equality of bytes without a look at each of them by the test runner, which takes 4 s a megabyte. */
export function sameBytes(one: unknown, other: Uint8Array): boolean {
  return one instanceof Uint8Array && Buffer.compare(one, other) === 0
}
