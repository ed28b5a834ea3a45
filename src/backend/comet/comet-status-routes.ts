import { restPrefix } from '../../protocol/routes.ts'
import { Heartbeats } from '../experiments/heartbeats.ts'
import { Others } from '../experiments/others.ts'
import { json } from '../routes/reply.ts'
import type { Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { checkLabel, cometBody, numberOf, saved, writtenExperiment } from './comet-calls.ts'
import { addPoints } from './comet-points.ts'
import { CometShape } from './comet-shape.ts'

/** What Comet's Python client tells of a run: how it fares, its script, and its machine. */
export function cometStatusRoutes(router: Router, services: Services): void {
  const { experiments, options } = services
  const heartbeats = new Heartbeats(services)
  const others = new Others(services)

  router.on('POST', `${restPrefix}/write/experiment/update-status`, async (call) => {
    const shape = await cometBody(call)
    const { key, ...place } = await writtenExperiment(services, call, shape)
    const isAlive = shape.optionalFlag('isAlive')
    if (isAlive === undefined) throw shape.refuse("'isAlive' is missing")
    const crashed = !isAlive && (shape.optionalFlag('hasCrashed') ?? false)
    const [error, now] = [shape.optionalText('error'), options.now()]
    if (error) await others.log(key, place, [{ key: 'error', value: error, timestamp: now }])
    if (isAlive) await heartbeats.beat(key)
    await experiments.change(key, (experiment) => ({
      ...experiment,
      crashed,
      state: isAlive ? 'running' : 'ended',
      endTime: isAlive ? null : (experiment.endTime ?? now),
    }))
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/experiment/file-path`, async (call) => {
    const shape = await cometBody(call)
    const { key } = await writtenExperiment(services, call, shape)
    const filePath = checkLabel(shape.text('filePath'), 'script')
    await experiments.change(key, (experiment) => ({ ...experiment, filePath }))
    return json(saved)
  })
  for (const [path, read] of readings)
    router.on('POST', `${restPrefix}/write/experiment/${path}`, async (call) => {
      await addPoints(services, call, read)
      return json(saved)
    })
}

type Reading = readonly [name: string, value: number]

// Under the names that Comet's clients give what they measure themselves.
const readings: readonly [path: string, read: (shape: CometShape) => Reading[]][] = [
  ['cpu-metrics', cpuReadings],
  ['gpu-metrics', gpuReadings],
  [
    'ram-metrics',
    (shape) => [
      ['sys.ram.total', numberOf(shape, 'totalRam')],
      ['sys.ram.used', numberOf(shape, 'usedRam')],
    ],
  ],
  ['load-metrics', (shape) => [['sys.load.avg', numberOf(shape, 'loadAverage')]]],
]

function cpuReadings(shape: CometShape): Reading[] {
  const percents = shape.list('cpuPercentUtilization').map((percent) => {
    if (typeof percent === 'number') return percent
    throw shape.refuse("'cpuPercentUtilization' is not a list of numbers")
  })
  if (percents.length === 0 || percents.length > mostDevices)
    throw shape.refuse(`'cpuPercentUtilization' has not 1 to ${mostDevices} numbers`)
  const average = percents.reduce((sum, one) => sum + one, 0) / percents.length
  const each = percents.map((percent, at): Reading => [`sys.cpu.percent.${String(at + 1).padStart(2, '0')}`, percent])
  return [['sys.cpu.percent.avg', average], ...each]
}

function gpuReadings(shape: CometShape): Reading[] {
  const gpus = shape.list('gpus')
  if (gpus.length > mostDevices) throw shape.refuse(`'gpus' has more than ${mostDevices}`)
  return gpus.flatMap((one) => {
    const gpu = new CometShape(one)
    return gpuFields.map(([field, name]): Reading => [`sys.gpu.${gpu.count('gpuId')}.${name}`, numberOf(gpu, field)])
  })
}

const gpuFields = [
  ['gpuUtilization', 'gpu_utilization'],
  ['freeMemory', 'free_memory'],
  ['usedMemory', 'used_memory'],
  ['totalMemory', 'total_memory'],
] as const

// The largest machines have some hundreds of processors.
const mostDevices = 4096
