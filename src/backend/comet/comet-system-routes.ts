import { restPrefix } from '../../protocol/routes.ts'
import type { Metadata } from '../../protocol/shapes.ts'
import type { RunEvent } from '../experiments/run-state.ts'
import { json } from '../routes/reply.ts'
import type { Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { allFields, askedExperiment, cometBody, fieldsOf, numberOf, saved, writtenExperiment } from './comet-calls.ts'
import type { CometShape } from './comet-shape.ts'

const systemFields = [
  'command',
  'executable',
  'gpuStaticInfoList',
  'hostname',
  'installedPackages',
  'ip',
  'logAdditionalSystemInfoList',
  'networkInterfaceIps',
  'os',
  'osPackages',
  'osType',
  'pid',
  'pythonVersion',
  'pythonVersionVerbose',
  'user',
  'env',
  'machine',
  'processor',
  'totalRam',
  'maxTotalMemory',
  'systemMetricNames',
] as const

/** R writes a list of one as the one alone: these are always lists. */
const systemLists = [
  'command',
  'gpuStaticInfoList',
  'installedPackages',
  'logAdditionalSystemInfoList',
  'networkInterfaceIps',
  'osPackages',
  'systemMetricNames',
]

/** The machine that an experiment runs on, as Comet's REST API v2 has it. */
export function cometSystemRoutes(router: Router, services: Services): void {
  const { runs } = services

  router.on('POST', `${restPrefix}/write/experiment/system-details`, async (call) => {
    const shape = await cometBody(call)
    const { key } = await writtenExperiment(services, call, shape)
    const event: RunEvent = ['system', systemOf(shape)]
    const item = { events: [event], points: [] }
    await runs.append(key, { decide: () => item, bytes: JSON.stringify(event).length })
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiment/system-details`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const { system } = await runs.read(key)
    return json(allFields(system ?? {}, systemFields, systemLists))
  })
}

function systemOf(shape: CometShape): Metadata {
  const fields = fieldsOf(shape, systemFields)
  for (const list of systemLists) {
    const value = fields[list]
    if (value !== undefined && !Array.isArray(value)) fields[list] = [value]
  }
  return shape.has('pid') ? { ...fields, pid: numberOf(shape, 'pid') } : fields
}
