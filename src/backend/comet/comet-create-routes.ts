import { checkName } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import { checkExperimentKey, type Experiment } from '../experiments/experiments.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { checkLabel, cometBody } from './comet-calls.ts'

// Where an experiment goes when it is not said: Comet's name for it, and the name that our client shows.
const usualProject = 'general'
const usualWorkspace = 'default'

/** New experiments, as Comet's REST API v2 has them. */
export function cometCreateRoutes(router: Router, { experiments, migration, options }: Services): void {
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
}

/** The page of an experiment. */
export function linkOf(
  { url }: Call,
  { workspace, project, key }: Pick<Experiment, 'workspace' | 'project' | 'key'>,
): string {
  return `${url.origin}/${[workspace, project, key].map(encodeURIComponent).join('/')}`
}
