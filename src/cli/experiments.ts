import type { Command, Context } from './command.ts'
import { formatDuration, formatTime } from './human.ts'

export const experiments: Command = {
  name: 'experiments',
  summary: 'list experiments',
  operands: { usage: '', least: 0, most: 0 },
  about: ['Those of --project, or of the whole workspace.'],
  options: { archived: { type: 'flag', about: 'those in the archive instead of the others' } },
  examples: ['tidemark experiments', 'tidemark experiments --project flowers --json'],
  run: runExperiments,
}

async function runExperiments({ values, out, signal, connect }: Context): Promise<undefined> {
  const tidemark = await connect()
  const projectName = values.text('project')
  const found = await tidemark.getExperiments({
    ...(projectName !== undefined && { projectName }),
    archived: values.flag('archived'),
    signal,
  })
  if (out.json) {
    out.document(found)
    return undefined
  }
  if (found.length === 0) {
    out.line('There are no experiments here.')
    return undefined
  }
  const { style } = out
  out.table(
    [
      { title: 'KEY', style: style.cyan },
      { title: 'NAME', shrink: true, style: style.bold },
      { title: 'PROJECT', shrink: true },
      { title: 'BEGUN' },
      { title: 'TOOK', align: 'right' },
    ],
    found.map((one) => [
      one.experimentKey,
      one.experimentName,
      one.projectName,
      formatTime(new Date(one.startTimeMillis)),
      one.endTimeMillis === null ? '' : formatDuration(one.durationMillis),
    ]),
  )
  return undefined
}
