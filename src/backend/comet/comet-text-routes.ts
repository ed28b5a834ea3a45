import { InvalidInputError } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { RunEvent, RunState } from '../experiments/run-state.ts'
import { json } from '../routes/reply.ts'
import type { Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import {
  allFields,
  askedExperiment,
  cometBody,
  fieldsOf,
  flagOf,
  isJsonObject,
  optionalNumberOf,
  saved,
  writtenExperiment,
} from './comet-calls.ts'
import type { CometShape } from './comet-shape.ts'

const gitFields = ['branch', 'origin', 'parent', 'user', 'root'] as const

// Pages grow by what is added to them, and are kept with the head of the experiment.
const longestHtml = 16 * 1024 * 1024

/** Texts of an experiment, its output among them, as Comet's REST API v2 has them. */
export function cometTextRoutes(router: Router, services: Services): void {
  const { runs } = services

  const write = (
    path: string,
    eventsOf: (shape: CometShape) => readonly RunEvent[],
    check?: (state: RunState, shape: CometShape) => void,
  ) =>
    router.on('POST', `${restPrefix}/write/experiment/${path}`, async (call) => {
      const shape = await cometBody(call)
      const { key } = await writtenExperiment(services, call, shape)
      const events = eventsOf(shape)
      const item = { events, points: [] }
      const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0)
      if (events.length > 0)
        await runs.append(key, {
          decide: (state) => {
            check?.(state, shape)
            return item
          },
          bytes,
        })
      return json(saved)
    })
  const read = (path: string, answer: (state: RunState) => unknown) =>
    router.on('GET', `${restPrefix}/experiment/${path}`, async (call) => {
      const { key } = await askedExperiment(services, call, 'reader')
      return json(answer(await runs.read(key)))
    })

  write(
    'html',
    (shape) => [['html', htmlOf(shape), shape.optionalFlag('override') ?? false]],
    (state, shape) => {
      const before = shape.optionalFlag('override') ? 0 : state.html.length
      if (before + htmlOf(shape).length > longestHtml) throw htmlTooLong()
    },
  )
  read('html', ({ html }) => ({ html }))
  write('graph', (shape) => [['graph', graphOf(shape)]])
  read('graph', ({ graph }) => ({ graph }))
  // R leaves the lines of an empty script out.
  write('code', (shape) => [['code', shape.optionalLines('code') ?? '']])
  read('code', ({ code }) => ({ code }))
  write('git/metadata', (shape) => [['git', fieldsOf(shape, gitFields)]])
  read('git/metadata', ({ git }) => allFields(git ?? {}, gitFields))
  write('output', outputEvents)
  router.on('GET', `${restPrefix}/experiment/output`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const { RunReader } = await import('../experiments/run-reader.ts')
    const lines = await new RunReader(services).lines(key)
    const wanted = call.query.has('stderr')
      ? lines.filter(({ stderr }) => stderr === flagOf(call.query, 'stderr'))
      : lines
    return json({ output: wanted.map(({ text }) => text).join('\n') })
  })
}

function htmlOf(shape: CometShape): string {
  return shape.optionalLines('html') ?? shape.text('html')
}

/** A text that holds JSON; the JSON itself where a script did not put it into one. */
function graphOf(shape: CometShape): string {
  const value = shape.raw('graph')
  return typeof value === 'object' ? JSON.stringify(value) : shape.text('graph')
}

function outputEvents(shape: CometShape): RunEvent[] {
  const runContext = shape.optionalText('context') ?? shape.optionalText('runContext') ?? null
  const given = shape.raw('outputLines') ?? []
  // One line may come without a list around it.
  const lines = isJsonObject(given) ? [given] : shape.has('outputLines') ? shape.list('outputLines') : []
  return lines.map((line) => {
    if (
      !isJsonObject(line) ||
      typeof line.output !== 'string' ||
      typeof line.offset !== 'number' ||
      !Number.isFinite(line.offset)
    )
      throw shape.refuse("'outputLines' are not objects with a text 'output' and a number 'offset'")
    const context = typeof line.context === 'string' ? line.context : runContext
    const timestamp =
      typeof line.localTimestamp === 'number' ? line.localTimestamp : (optionalNumberOf(shape, 'timestamp') ?? null)
    return ['line', line.offset, line.output, line.stderr === true, context, timestamp]
  })
}

function htmlTooLong(): InvalidInputError {
  return new InvalidInputError(
    `The page of an experiment has at most ${longestHtml} characters. Log it with override, or as an asset.`,
    { code: 'body-too-large', fields: { limit: longestHtml } },
  )
}
