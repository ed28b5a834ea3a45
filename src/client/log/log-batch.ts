import type { LoggedOther, LoggedParameter, LogRequest, MetricColumns, OutputLine } from '../../protocol/log.ts'
import { type BatchEntry, type MetricEntry, metricValue } from './log-entry.ts'

/** Entries as one request: the points of each series as columns. */
export function toLogRequest(writer: string, sequence: number, entries: readonly BatchEntry[]): LogRequest {
  const series = new Map<string, MetricEntry[]>()
  const parameters: LoggedParameter[] = []
  const others: LoggedOther[] = []
  const tags: string[] = []
  const output: OutputLine[] = []
  for (const entry of entries) {
    if (entry.kind === 'metric') {
      const key = `${entry.context ?? ''}\n${entry.name}`
      const points = series.get(key)
      if (points) points.push(entry)
      else series.set(key, [entry])
    } else if (entry.kind === 'tags') tags.push(...entry.tags)
    else if (entry.kind === 'parameter') {
      const { kind, ...parameter } = entry
      parameters.push(parameter)
    } else if (entry.kind === 'other') {
      const { kind, ...other } = entry
      others.push(other)
    } else {
      const { kind, ...line } = entry
      output.push(line)
    }
  }
  return {
    writer,
    sequence,
    ...(series.size > 0 && { metrics: Array.from(series.values(), columnsOf) }),
    ...(parameters.length > 0 && { parameters }),
    ...(others.length > 0 && { others }),
    ...(tags.length > 0 && { tags }),
    ...(output.length > 0 && { output }),
  }
}

function columnsOf(points: readonly MetricEntry[]): MetricColumns {
  const [{ name, context }] = points
  return {
    name,
    ...(context !== undefined && { context }),
    values: points.map(({ value }) => metricValue(value)),
    ...(points.some(({ step }) => step !== undefined) && { steps: points.map(({ step }) => step ?? null) }),
    ...(points.some(({ epoch }) => epoch !== undefined) && { epochs: points.map(({ epoch }) => epoch ?? null) }),
    timestamps: points.map(({ timestamp }) => timestamp),
  }
}
