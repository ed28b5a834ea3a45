import type { Services } from '../services.ts'
import { Files } from './files.ts'
import { Heartbeats } from './heartbeats.ts'
import { KeptFiles } from './kept-files.ts'

/** The record goes first: from then on there is no such experiment. What is left of it is in nobody's way; what registered models keep stays. */
export async function deleteExperiment(services: Services, key: string): Promise<void> {
  const { experiments, runs, options } = services
  await experiments.change(key, (experiment) => ({ ...experiment, deleted: true }))
  await new Heartbeats(services).forget(key)
  await runs.delete(key)
  await new Files(options.blobs).deleteAll(key, await new KeptFiles(options).named(key))
}
