import type { Endable } from './client/connection.ts'
import { Listing } from './client/listing.ts'
import { connectWith } from './connect.ts'
import { isTidemarkError } from './errors.ts'
import { runtimeProcess } from './platform/process.ts'
import type { Tidemark } from './tidemark.ts'

let current: Promise<Tidemark> | undefined

/** The connection that the module functions use: made from configuration at first use, closed when the process ends, with the experiments that were begun on it. */
function tidemark(): Promise<Tidemark> {
  current ??= open().catch((error: unknown) => {
    // The next call tries again: configuration can be corrected.
    current = undefined
    throw error
  })
  return current
}

async function open(): Promise<Tidemark> {
  const begun = new Set<Endable>()
  const connection = await connectWith({}, undefined, begun)
  // Nothing of a connection keeps a process alive; this lets it finish what it has begun. What fails is told as a rejection that nobody handled.
  runtimeProcess()?.once?.('beforeExit', () => void endWithProgram(begun))
  return connection
}

/** A program that comes to its end has not crashed: its experiments end with it. */
async function endWithProgram(begun: ReadonlySet<Endable>): Promise<void> {
  const endings = await Promise.allSettled(Array.from(begun, (experiment) => experiment.end()))
  for (const ending of endings) if (ending.status === 'rejected' && !isGone(ending.reason)) throw ending.reason
  await close()
}

/** Deleted with its project, say: there is nothing to end. */
function isGone(error: unknown): boolean {
  return isTidemarkError(error) && error.code === 'experiment-not-found'
}

type Arguments<Name extends keyof Tidemark> = Tidemark[Name] extends (...args: infer Args) => unknown ? Args : never
/** Written out for each function: types that need inference are slow for those who read the source, as Deno does. */
type Result<Name extends keyof Tidemark> = Tidemark[Name] extends (...args: infer _) => infer Returned
  ? Returned
  : never

/** Begins an experiment on the default connection. See `Tidemark.createExperiment`. */
export const createExperiment = async (...args: Arguments<'createExperiment'>): Result<'createExperiment'> =>
  (await tidemark()).createExperiment(...args)
/** See `Tidemark.getExperiment`. */
export const getExperiment = async (...args: Arguments<'getExperiment'>): Result<'getExperiment'> =>
  (await tidemark()).getExperiment(...args)
/** See `Tidemark.getExperiments`. */
export const getExperiments = async (...args: Arguments<'getExperiments'>): Result<'getExperiments'> =>
  (await tidemark()).getExperiments(...args)
/** See `Tidemark.getWorkspaces`. */
export const getWorkspaces = async (): Result<'getWorkspaces'> => (await tidemark()).getWorkspaces()
/** See `Tidemark.getProjects`. */
export const getProjects = async (...args: Arguments<'getProjects'>): Result<'getProjects'> =>
  (await tidemark()).getProjects(...args)
/** See `Tidemark.createProject`. */
export const createProject = async (...args: Arguments<'createProject'>): Result<'createProject'> =>
  (await tidemark()).createProject(...args)
/** See `Tidemark.deleteProject`. */
export const deleteProject = async (...args: Arguments<'deleteProject'>): Result<'deleteProject'> =>
  (await tidemark()).deleteProject(...args)
/** See `Tidemark.getColumns`. */
export const getColumns = async (...args: Arguments<'getColumns'>): Result<'getColumns'> =>
  (await tidemark()).getColumns(...args)
/** See `Tidemark.getMultiMetricChart`. */
export const getMultiMetricChart = async (...args: Arguments<'getMultiMetricChart'>): Result<'getMultiMetricChart'> =>
  (await tidemark()).getMultiMetricChart(...args)
/** See `Tidemark.getArtifact`. */
export const getArtifact = async (...args: Arguments<'getArtifact'>): Result<'getArtifact'> =>
  (await tidemark()).getArtifact(...args)
/** See `Tidemark.getArtifacts`. */
export const getArtifacts = (...args: Arguments<'getArtifacts'>): Result<'getArtifacts'> =>
  later((on) => on.getArtifacts(...args))
/** See `Tidemark.getVersions`. */
export const getVersions = (...args: Arguments<'getVersions'>): Result<'getVersions'> =>
  later((on) => on.getVersions(...args))
/** See `Tidemark.deleteArtifact`. */
export const deleteArtifact = async (...args: Arguments<'deleteArtifact'>): Result<'deleteArtifact'> =>
  (await tidemark()).deleteArtifact(...args)
/** See `Tidemark.collectGarbage`. */
export const collectGarbage = async (...args: Arguments<'collectGarbage'>): Result<'collectGarbage'> =>
  (await tidemark()).collectGarbage(...args)
/** See `Tidemark.verify`. */
export const verify = (...args: Arguments<'verify'>): Result<'verify'> => later((on) => on.verify(...args))
/** See `Tidemark.callApi`. */
export const callApi = async (...args: Arguments<'callApi'>): Result<'callApi'> => (await tidemark()).callApi(...args)

/** Closes the default connection; the next call opens it again, with the configuration there is then. */
export async function close(): Promise<void> {
  const closing = current
  current = undefined
  await (await closing)?.close()
}

function later<Item>(list: (on: Tidemark) => Listing<Item>): Listing<Item> {
  return new Listing(async function* () {
    yield* list(await tidemark())
  })
}
