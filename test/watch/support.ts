import { type Experiment, type LoggedArtifact, NotFoundError } from '../../src/index.ts'

/** The rows of a version, as plain records. */
export async function decoded(version: LoggedArtifact | undefined): Promise<unknown[]> {
  return rowsOf(await version?.get())
}

export function rowsOf(table: unknown): unknown[] {
  if (typeof table !== 'object' || table === null || !(Symbol.iterator in table)) throw new TypeError('No table.')
  return Array.from(table as Iterable<{ toJSON(): unknown }>, (row) => row.toJSON())
}

/** All versions there are, newest first. */
export async function versionsOf(experiment: Experiment, name: string): Promise<LoggedArtifact[]> {
  const found: LoggedArtifact[] = []
  for (let index = 0; ; index++) {
    try {
      found.unshift(await experiment.getArtifact(`${name}:v${index}`))
    } catch (error) {
      if (error instanceof NotFoundError) return found
      throw error
    }
  }
}
