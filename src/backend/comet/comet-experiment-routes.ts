import { checkName } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import { deleteExperiment } from '../experiments/delete-experiment.ts'
import { isIn } from '../experiments/experiment-lists.ts'
import type { Experiment } from '../experiments/experiments.ts'
import { beatInterval, Heartbeats } from '../experiments/heartbeats.ts'
import type { ProjectPlace, Projects } from '../projects/projects.ts'
import { required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { askedExperiment, cometBody, saved, writtenExperiment } from './comet-calls.ts'
import { linkOf } from './comet-create-routes.ts'
import { experimentToComet } from './comet-experiment.ts'

// What Comet answers; our clients measure nothing so often.
const gpuMonitorIntervalMillis = 60_000
const cpuMonitorIntervalMillis = 68_000

/** What becomes of experiments, as Comet's REST API v2 has them. */
export function cometExperimentRoutes(router: Router, services: Services): void {
  const { experiments, options } = services
  const heartbeats = new Heartbeats(services)

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
