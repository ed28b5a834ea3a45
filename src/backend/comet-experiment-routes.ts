import { checkName } from '../paths.ts'
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts'
import { restPrefix } from '../protocol/routes.ts'
import { readJson } from './body.ts'
import { checkExperimentKey, type Experiment } from './experiments.ts'
import { optional, required } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'
import type { Services } from './services.ts'
import { requestShape } from './shape.ts'

const largestBody = 1024 * 1024

// Where an experiment goes when it is not said: Comet's name for it, and the name that our client shows.
const usualProject = 'general'
const usualWorkspace = 'default'

/** Experiments, as Comet's REST API v2 has them. */
export function cometExperimentRoutes(router: Router, { experiments, artifacts, options }: Services): void {
  router.on('POST', `${restPrefix}/write/experiment/create`, async ({ request, url }) => {
    const shape = requestShape((await readJson(request, largestBody)) ?? {})
    const given = shape.optionalText('experimentKey')
    const key = given === undefined ? options.randomId() : checkExperimentKey(given)
    const createdAt = options.now()
    const experiment = await experiments.create({
      key,
      // Comet never answers with null here, and shows the beginning of the key.
      name: checkName(shape.optionalText('experimentName') ?? key.slice(0, 9), 'experiment'),
      workspace: checkName(shape.optionalText('workspaceName') || usualWorkspace, 'workspace'),
      project: checkName(shape.optionalText('projectName') || usualProject, 'project'),
      createdAt,
      startTime: shape.optionalCount('startTimeMillis') ?? createdAt,
      endTime: null,
      state: 'running',
    })
    const { name, workspace, project } = experiment
    const link = `${url.origin}/${[workspace, project, key].map(encodeURIComponent).join('/')}`
    return json({ experimentKey: key, link, name, workspaceName: workspace, projectName: project })
  })
  router.on('GET', `${restPrefix}/experiment/metadata`, async ({ query }) =>
    json(toComet(await experiments.get(required(query, 'experimentKey')))),
  )
  router.on('POST', `${restPrefix}/write/experiment/set-start-end-time`, async ({ request }) => {
    const shape = requestShape(await readJson(request, largestBody))
    const [startTime, endTime] = [shape.optionalCount('startTimeMillis'), shape.optionalCount('endTimeMillis')]
    await experiments.change(shape.text('experimentKey'), (experiment) => ({
      ...experiment,
      ...(startTime !== undefined && { startTime }),
      ...(endTime !== undefined && { endTime }),
    }))
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiments`, async ({ query }) => {
    const { workspace, project } = projectOf(query)
    // None can be archived yet. R writes booleans in upper case.
    const archived = optional(query, 'archived')?.toLowerCase() === 'true'
    const found: object[] = []
    if (!archived)
      for await (const one of experiments.list())
        if (one.workspace === workspace && (project === undefined || one.project === project)) found.push(toComet(one))
    return json({ experiments: found })
  })
  router.on('GET', `${restPrefix}/workspaces`, async () => {
    const names = new Set<string>()
    for await (const { workspace } of experiments.list()) names.add(workspace)
    for await (const { workspace } of artifacts.places('artifacts/')) names.add(workspace)
    return json({ workspaceNames: [...names].sort() })
  })
  router.on('GET', `${restPrefix}/projects`, async ({ query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    const projects = new Map<string, Experiment[]>()
    for await (const one of experiments.list())
      if (one.workspace === workspace) (projects.get(one.project) ?? beginList(projects, one.project)).push(one)
    return json({ projects: [...projects].map(([project, members]) => projectToComet(workspace, project, members)) })
  })
}

function beginList(projects: Map<string, Experiment[]>, project: string): Experiment[] {
  const members: Experiment[] = []
  projects.set(project, members)
  return members
}

/** Comet's answer to a write that has nothing else to say. */
export const saved = { msg: 'saved', code: 200, data: null, sdk_error_code: 0 } as const

function projectOf(query: URLSearchParams): { workspace: string; project: string | undefined } {
  const id = optional(query, 'projectId')
  if (id !== undefined) {
    const [workspace, project] = fromBase64Url(id).split('/')
    return { workspace, project: project ?? '' }
  }
  const project = optional(query, 'projectName')
  return { workspace: required(query, 'workspaceName'), project }
}

function projectToComet(workspace: string, project: string, members: readonly Experiment[]): object {
  return {
    projectId: projectIdOf(workspace, project),
    projectName: project,
    ownerUserName: workspace,
    projectDescription: '',
    workspaceName: workspace,
    numberOfExperiments: members.length,
    lastUpdated: Math.max(...members.map(({ createdAt, endTime }) => endTime ?? createdAt)),
    public: false,
  }
}

function projectIdOf(workspace: string, project: string): string {
  return toBase64Url(`${workspace}/${project}`)
}

function toComet({ key, name, workspace, project, startTime, endTime, state }: Experiment): object {
  return {
    experimentKey: key,
    experimentName: name,
    optimizationId: null,
    projectId: projectIdOf(workspace, project),
    projectName: project,
    workspaceName: workspace,
    filePath: null,
    fileName: null,
    durationMillis: endTime === null ? 0 : Math.max(0, endTime - startTime),
    startTimeMillis: startTime,
    endTimeMillis: endTime,
    archived: false,
    running: state === 'running',
    throttle: false,
  }
}
