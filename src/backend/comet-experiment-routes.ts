import { checkName } from '../paths.ts'
import { toBase64Url } from '../protocol/base64.ts'
import { restPrefix } from '../protocol/routes.ts'
import { askedExperiment, checkLabel, cometBody, saved, writtenExperiment } from './comet-calls.ts'
import { checkExperimentKey, type Experiment, isIn } from './experiments.ts'
import { beatInterval, type Health } from './heartbeats.ts'
import type { ProjectPlace, Projects } from './projects.ts'
import { required } from './query.ts'
import { json } from './reply.ts'
import type { Call, Router } from './router.ts'
import type { Services } from './services.ts'

// Where an experiment goes when it is not said: Comet's name for it, and the name that our client shows.
const usualProject = 'general'
const usualWorkspace = 'default'

// What Comet answers; our clients measure nothing so often.
const gpuMonitorIntervalMillis = 60_000
const cpuMonitorIntervalMillis = 68_000

/** Experiments as such, as Comet's REST API v2 has them. */
export function cometExperimentRoutes(router: Router, services: Services): void {
  const { experiments, heartbeats, migration, options } = services

  router.on('POST', `${restPrefix}/write/experiment/create`, async (call) => {
    const shape = await cometBody(call)
    const given = shape.optionalText('experimentKey')
    const key = given === undefined ? options.randomId() : checkExperimentKey(given)
    const workspace = checkName(shape.optionalText('workspaceName') || usualWorkspace, 'workspace')
    call.access.require('writer', workspace)
    // While it is a matter of one read: a new store has nothing to bring up to date.
    await migration.ensure()
    const createdAt = options.now()
    const experiment = await experiments.create({
      key,
      // Comet never answers with null here, and shows the beginning of the key.
      name: checkLabel(shape.optionalText('experimentName') || key.slice(0, 9), 'experiment'),
      workspace,
      project: checkName(shape.optionalText('projectName') || usualProject, 'project'),
      createdAt,
      startTime: shape.optionalCount('startTimeMillis') ?? createdAt,
      endTime: null,
      state: 'running',
    })
    const { name, project } = experiment
    return json({
      experimentKey: key,
      link: linkOf(call, experiment),
      name,
      workspaceName: workspace,
      projectName: project,
    })
  })
  router.on('GET', `${restPrefix}/experiment/metadata`, async (call) => {
    const experiment = await askedExperiment(services, call, 'reader')
    const health = await heartbeats.healthOf(experiment)
    const crashed = health.crashed && (experiment.crashed || !(await endsSilently(services, experiment.key)))
    return json(experimentToComet(experiment, { ...health, crashed }))
  })
  router.on('GET', `${restPrefix}/write/experiment/set-status`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    await heartbeats.beat(key)
    return json({ isAliveBeatDurationMillis: beatInterval, gpuMonitorIntervalMillis, cpuMonitorIntervalMillis })
  })
  router.on('POST', `${restPrefix}/write/experiment/set-start-end-time`, async (call) => {
    const shape = await cometBody(call)
    const { key } = await writtenExperiment(services, call, shape)
    const [startTime, endTime] = [shape.optionalCount('startTimeMillis'), shape.optionalCount('endTimeMillis')]
    if (startTime !== undefined || endTime !== undefined)
      await experiments.change(key, (experiment) => ({
        ...experiment,
        ...(startTime !== undefined && { startTime }),
        ...(endTime !== undefined && { endTime }),
      }))
    return json(saved)
  })
  for (const [verb, archived, msg] of [
    ['archive', true, 'Archived'],
    ['restore', false, 'Restore'],
  ] as const)
    router.on('GET', `${restPrefix}/write/experiment/${verb}`, async (call) => {
      const { key } = await askedExperiment(services, call, 'writer')
      await experiments.change(key, (experiment) =>
        experiment.archived === archived ? experiment : { ...experiment, archived },
      )
      return json({ ...saved, msg })
    })
  router.on('GET', `${restPrefix}/write/experiment/stop`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    await experiments.end(key, options.now())
    return json({ ...saved, msg: 'Stopped' })
  })
  router.on('GET', `${restPrefix}/write/experiment/delete`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    const { deleteExperiment } = await import('./delete-experiment.ts')
    await deleteExperiment(services, key)
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('POST', `${restPrefix}/write/experiment/move`, (call) => move(call, services))
  router.on('GET', `${restPrefix}/write/project/symlink`, async (call) => {
    const experiment = await askedExperiment(services, call, 'writer')
    const { key, workspace } = experiment
    const project = checkName(required(call.query, 'projectName'), 'project')
    await services.projects.ensure({ workspace, project }, { description: '', public: false, createdAt: options.now() })
    await link(services.projects, experiment, { workspace, project })
    return json({ link: linkOf(call, { workspace, project, key }) })
  })
}

const mostMoved = 1000

async function move(call: Call, { experiments, options, projects }: Services): Promise<Response> {
  const shape = await cometBody(call)
  const keys = [...new Set(shape.texts('experimentKeys'))]
  if (keys.length > mostMoved) throw shape.refuse(`at most ${mostMoved} experiments are moved at once`)
  const workspace = checkName(shape.text('targetWorkspaceName'), 'workspace')
  const project = checkName(shape.text('targetProjectName'), 'project')
  call.access.require('writer', workspace)
  // All of them are looked at before any of them goes.
  for (const key of keys) call.access.require('writer', (await experiments.get(key)).workspace)
  await projects.ensure({ workspace, project }, { description: '', public: false, createdAt: options.now() })
  for (const key of keys)
    if (shape.optionalFlag('symlink') ?? false) await link(projects, await experiments.get(key), { workspace, project })
    else
      await experiments.change(key, (experiment) =>
        isIn(experiment, { workspace, project }) ? experiment : { ...experiment, workspace, project },
      )
  return json(saved)
}

/** Shows an experiment in a project to which it does not belong. */
async function link(projects: Projects, experiment: Experiment, place: ProjectPlace): Promise<void> {
  if (isIn(experiment, place)) return
  await projects.add(place, [['link', experiment.key]])
}

/** R's client has no word for the end of an experiment: that its signs of life stop says nothing. */
async function endsSilently({ runs }: Services, key: string): Promise<boolean> {
  return (await runs.read(key)).others.get('Created from')?.current.value === 'cometr'
}

function linkOf({ url }: Call, { workspace, project, key }: Pick<Experiment, 'workspace' | 'project' | 'key'>): string {
  return `${url.origin}/${[workspace, project, key].map(encodeURIComponent).join('/')}`
}

export function projectIdOf({ workspace, project }: { workspace: string; project: string }): string {
  return toBase64Url(`${workspace}/${project}`)
}

/** The fields that lists give too. */
export function experimentToComet(
  { key, name, workspace, project, startTime, endTime, state, archived, filePath }: Experiment,
  health?: Health,
): object {
  return {
    experimentKey: key,
    experimentName: name,
    optimizationId: null,
    projectId: projectIdOf({ workspace, project }),
    projectName: project,
    workspaceName: workspace,
    filePath: filePath ?? null,
    fileName: filePath?.split(/[/\\]/).at(-1) ?? null,
    durationMillis: Math.max(0, (endTime ?? health?.lastSeen ?? startTime) - startTime),
    startTimeMillis: startTime,
    endTimeMillis: endTime,
    archived,
    running: health?.running ?? state === 'running',
    ...(health && { hasCrashed: health.crashed, userName: workspace }),
    throttle: false,
  }
}
