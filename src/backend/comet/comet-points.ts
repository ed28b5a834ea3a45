import { bytesOf } from '../experiments/runs.ts'
import { listedName, type Points } from '../experiments/series.ts'
import type { Call } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { checkLabel, cometBody, optionalNumberOf, timeOf, writtenExperiment } from './comet-calls.ts'
import type { CometShape } from './comet-shape.ts'

/** Logs a point of each metric that is read from the body, which also tells step, epoch, context and time. */
export async function addPoints(
  services: Services,
  call: Call,
  read: (shape: CometShape) => readonly (readonly [name: string, value: number])[],
): Promise<void> {
  const { options, projects, runs } = services
  const shape = await cometBody(call)
  const { key, workspace, project } = await writtenExperiment(services, call, shape)
  const given = shape.optionalText('context')
  const context = given ? checkLabel(given, 'context') : null
  const step = optionalNumberOf(shape, 'step') ?? Number.NaN
  const epoch = optionalNumberOf(shape, 'epoch') ?? Number.NaN
  const timestamp = timeOf(shape, options.now())
  const points = read(shape).map(
    ([name, value]): Points => ({
      name: checkLabel(name, 'metric'),
      context,
      values: Float64Array.of(value),
      steps: Float64Array.of(step),
      epochs: Float64Array.of(epoch),
      timestamps: Float64Array.of(timestamp),
    }),
  )
  const item = { events: [], points }
  const columns = points.map((one) => ({ source: 'metrics', name: listedName(one), type: 'double' }))
  await Promise.all([
    projects.addColumns({ workspace, project }, columns),
    runs.append(key, { decide: () => item, bytes: bytesOf(item) }),
  ])
}
