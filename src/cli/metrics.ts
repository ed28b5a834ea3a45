import type { Command, Context } from './command.ts'
import { formatTime } from './human.ts'

export const metrics: Command = {
  name: 'metrics',
  summary: 'show the metrics of an experiment, or all points of one',
  operands: { usage: 'EXPERIMENT [METRIC]', least: 1, most: 2 },
  about: ['EXPERIMENT is its key. Without a METRIC: the last, least and greatest value of each.'],
  options: {},
  examples: ['tidemark metrics 0af3c2d1e9', 'tidemark metrics 0af3c2d1e9 train_loss --json'],
  run: runMetrics,
}

async function runMetrics({ values, out, signal, connect }: Context): Promise<undefined> {
  const [key, name] = values.operands
  const tidemark = await connect()
  const experiment = await tidemark.getExperiment(key, { signal })
  const { style } = out
  const right = { align: 'right' } as const
  if (name === undefined) {
    const found = await experiment.getMetricsSummary({ signal })
    if (out.json) out.document(found.map((one) => exactly(one)))
    else if (found.length === 0) out.line(`Experiment ${experiment.name} has no metrics.`)
    else
      out.table(
        [
          { title: 'METRIC', shrink: true, style: style.bold },
          { title: 'LAST', ...right },
          { title: 'LEAST', ...right },
          { title: 'GREATEST', ...right },
          { title: 'STEP', ...right },
        ],
        found.map((one) => [one.name, String(one.current), String(one.min), String(one.max), textOf(one.step)]),
      )
    return undefined
  }
  const points = await experiment.getMetric(name, { signal })
  if (out.json) out.document(points.map((one) => exactly(one)))
  else if (points.length === 0) out.line(`Experiment ${experiment.name} has no metric '${name}'.`)
  else
    out.table(
      [
        { title: 'STEP', ...right },
        { title: 'EPOCH', ...right },
        { title: 'VALUE', ...right, style: style.bold },
        { title: 'LOGGED' },
      ],
      points.map(({ step, epoch, value, timestamp }) => [
        textOf(step),
        textOf(epoch),
        String(value),
        formatTime(new Date(timestamp)),
      ]),
    )
  return undefined
}

function textOf(value: number | null): string {
  return value === null ? '' : String(value)
}

/** JSON has no NaN and no infinities: they are told as text, not as null. */
function exactly(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  ])
  return Object.fromEntries(entries)
}
