import { InvalidInputError } from '../index.ts'
import type { Command, Context } from './command.ts'
import { formatBytes, formatDuration, formatNumber } from './human.ts'

export const gc: Command = {
  name: 'gc',
  summary: 'free what only deleted versions needed',
  operands: { usage: '', least: 0, most: 0 },
  about: [
    'What a version needs is never freed. Bytes that no version ever referred to may belong to one that is being logged: they are freed when\n' +
      'they are older than the time of grace.',
  ],
  options: {
    'dry-run': { type: 'flag', about: 'only say what would be freed' },
    grace: { type: 'text', value: 'TIME', about: 'such as 90s, 30m, 12h or 7d (default: 24h)' },
  },
  examples: ['tidemark gc --dry-run', 'tidemark gc --grace 7d'],
  run: runGc,
}

async function runGc({ values, out, signal, connect }: Context): Promise<undefined> {
  const began = performance.now()
  const graceMs = parseTime(values.text('grace'))
  const dryRun = values.flag('dry-run')
  const tidemark = await connect()
  const freed = await tidemark.collectGarbage({ dryRun, signal, ...(graceMs !== undefined && { graceMs }) })
  if (out.json) {
    out.document({ ...freed, dryRun })
    return undefined
  }
  const { packsDeleted, packsRewritten, packsKept, bytesFreed } = freed
  const verb = dryRun ? 'Would free' : 'Freed'
  const rewritten = packsRewritten > 0 ? `, ${formatNumber(packsRewritten, 'pack')} rewritten` : ''
  out.line(
    `${verb} ${formatBytes(bytesFreed)}: ${formatNumber(packsDeleted, 'pack')} deleted${rewritten}, ${packsKept} kept, ${formatDuration(performance.now() - began)}`,
  )
  return undefined
}

const milliseconds: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  if (match) return Number(match[1]) * milliseconds[match[2]]
  if (text === '0') return 0
  throw new InvalidInputError(`--grace takes a time such as 90s, 30m, 12h or 7d, not ${JSON.stringify(text)}.`, {
    code: 'invalid-option',
    fields: { option: 'grace' },
  })
}
