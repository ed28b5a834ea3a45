import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ConnectOptions, connect, type Experiment, memoryStore, type Tidemark } from '../../src/index.ts'

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

/** A connection that is closed with the test. */
export async function open(options: ConnectOptions = { store: memoryStore() }): Promise<Tidemark> {
  const tidemark = await connect(options)
  onTestFinished(() => tidemark.close())
  return tidemark
}

export async function begin(options?: ConnectOptions): Promise<{ tidemark: Tidemark; experiment: Experiment }> {
  const tidemark = await open(options)
  return { tidemark, experiment: await tidemark.createExperiment({ project: 'flowers' }) }
}

export const bytesOf = (text: string) => new TextEncoder().encode(text)

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
