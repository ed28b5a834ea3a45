import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { connect, type LoggedArtifact, memoryStore } from '../../src/index.ts'

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-interop-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Logs a value as a user does. */
export async function log(value: unknown): Promise<LoggedArtifact> {
  const tidemark = await connect({ store: memoryStore() })
  onTestFinished(() => tidemark.close())
  const experiment = await tidemark.createExperiment()
  return experiment.uploadArtifact('thing', value)
}

/** Logs a value and downloads it: the path of the file that others read. */
export async function give(value: unknown): Promise<string> {
  const folder = await temporaryFolder()
  const logged = await log(value)
  await logged.download(folder)
  const [asset] = await logged.getAssets()
  return join(folder, asset.logicalPath)
}

export async function bytesOf(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(path))
}
