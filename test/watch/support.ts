import { type Experiment, type LoggedArtifact, NotFoundError, type RegisteredArtifact } from '../../src/index.ts'

/** The rows of a version, as plain records. */
export async function decoded(version: LoggedArtifact | undefined): Promise<Record<string, unknown>[]> {
  const table = await version?.get()
  if (!isRows(table)) throw new TypeError('No table came back.')
  return Array.from(table, (row) => ({ ...row.toJSON() }))
}

function isRows(value: unknown): value is Iterable<{ toJSON(): Record<string, unknown> }> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

/** Indexes of all versions there are, oldest first. */
export async function indexesOf(experiment: Experiment, name: string, upTo = 100): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < upTo; index++) {
    try {
      found.push((await experiment.getArtifact(`${name}:v${index}`)).index)
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
    }
  }
  return found
}

/** What the next event of this name carries. */
export function nextVersion(artifact: RegisteredArtifact): Promise<LoggedArtifact> {
  return new Promise((resolve) => artifact.addEventListener('version', ({ logged }) => resolve(logged), { once: true }))
}

export function nextError(artifact: RegisteredArtifact): Promise<unknown> {
  return new Promise((resolve) => artifact.addEventListener('error', ({ error }) => resolve(error), { once: true }))
}

/** Looks come only when they are asked for. */
export const never = 2 ** 31 - 1

/** Looks come all the time. */
export const often = 5
