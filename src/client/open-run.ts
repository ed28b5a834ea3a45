import { InvalidInputError, isTidemarkError } from '../errors.ts'
import { checkFlag, checkOptions, describe } from '../options.ts'
import { checkName } from '../paths.ts'
import { restPrefix } from '../protocol/routes.ts'
import type { Api } from './api.ts'
import type { Connection } from './connection.ts'
import { type CompanionOptions, type Companions, openCompanions } from './log/run-companions.ts'
import { RunLog } from './log/run-log.ts'
import type { ExperimentSummary } from './projects.ts'
import { randomId } from './random-id.ts'

export interface CreateExperimentOptions extends CompanionOptions {
  /** Default: the beginning of its key. */
  readonly name?: string
  /** Default: that of the connection. */
  readonly project?: string
  readonly workspace?: string
  readonly signal?: AbortSignal
}

export interface ExperimentInfo {
  readonly key: string
  readonly name: string
  /** Where people see it: on a server; null embedded. */
  readonly url: string | null
  readonly workspace: string
  readonly project: string
}

/** An experiment on its way: what it is, what it logs, and what goes on beside it where it began here. */
export interface Run {
  readonly info: ExperimentInfo
  readonly log: RunLog
  readonly companions?: Companions
}

const flags = ['keepActive', 'logOutput', 'logError', 'logCode', 'logSystemDetails', 'logGitInfo'] as const

/** @throws InvalidInputError `invalid-name`, `unknown-option` */
export async function beginRun(connection: Connection, options: CreateExperimentOptions): Promise<Run> {
  checkOptions(options, ['name', 'project', 'workspace', ...flags, 'signal'], 'createExperiment()')
  for (const flag of flags) checkFlag(options[flag], flag)
  const { api, workspace, project } = connection
  const body = {
    // Made here, so that a lost answer can be asked for again without making two.
    experimentKey: randomId(),
    ...(options.name !== undefined && { experimentName: checkName(options.name, 'experiment') }),
    workspaceName: checkName(options.workspace ?? workspace, 'workspace'),
    projectName: checkName(options.project ?? project, 'project'),
  }
  const made = await create(api, body, options.signal)
  const {
    experimentKey: key,
    name = key.slice(0, 9),
    link,
    workspaceName = body.workspaceName,
    projectName = body.projectName,
  } = made
  const info = { key, name, url: api.remote ? (link ?? null) : null, workspace: workspaceName, project: projectName }
  const log = new RunLog(connection, info)
  return { info, log, companions: await openCompanions(connection, key, log, options) }
}

/** @throws NotFoundError `experiment-not-found` */
export async function findRun(connection: Connection, key: string, options: { signal?: AbortSignal }): Promise<Run> {
  checkOptions(options, ['signal'], 'getExperiment()')
  if (typeof key !== 'string')
    throw new InvalidInputError(`An experiment is found by its key, a string, not ${describe(key)}.`, {
      code: 'invalid-experiment-key',
    })
  const { api } = connection
  const { experimentName, workspaceName, projectName } = await summaryOf(api, key, options.signal)
  const url = api.remote ? urlOf(api, workspaceName, projectName, key) : null
  const info = { key, name: experimentName, url, workspace: workspaceName, project: projectName }
  return { info, log: new RunLog(connection, info) }
}

async function create(api: Api, body: CreateBody, signal: AbortSignal | undefined): Promise<CreatedExperiment> {
  try {
    return await api.json<CreatedExperiment>('POST', `${restPrefix}/write/experiment/create`, { body, signal })
  } catch (error) {
    if (!isTidemarkError(error) || error.code !== 'experiment-exists') throw error
    // Nobody else knows its key: it was made, and the answer lost.
    const { experimentKey } = body
    const { experimentName: name, ...found } = await summaryOf(api, experimentKey, signal)
    const link = urlOf(api, found.workspaceName, found.projectName, experimentKey)
    return { ...found, experimentKey, name, link }
  }
}

function summaryOf(api: Api, experimentKey: string, signal: AbortSignal | undefined): Promise<ExperimentSummary> {
  return api.json<ExperimentSummary>('GET', `${restPrefix}/experiment/metadata`, { search: { experimentKey }, signal })
}

/** Where an experiment is seen: Comet's form, and ours. */
function urlOf({ url }: Api, workspace: string, project: string, key: string): string {
  return `${url}/${[workspace, project, key].map(encodeURIComponent).join('/')}`
}

interface CreateBody {
  readonly experimentKey: string
  readonly experimentName?: string
  readonly workspaceName: string
  readonly projectName: string
}

/** What a server says of an experiment it made: Comet's leaves some of it out. */
interface CreatedExperiment {
  readonly experimentKey: string
  readonly link?: string
  readonly name?: string
  readonly workspaceName?: string
  readonly projectName?: string
}
