import type { VersionDiff } from '../index.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { differsExit } from './failure.ts'
import { formatBytes, formatCount } from './human.ts'
import { versionFacts, versionTitle } from './version-facts.ts'

export const diff: Command = {
  name: 'diff',
  summary: 'show how one version becomes another, path by path',
  operands: { usage: 'NAME[:VERSION] NAME[:VERSION]', least: 2, most: 2 },
  about: [
    'The second may leave the name out: tidemark diff flowers:v0 :v1. Lines begin with + for added, - for removed and ~ for changed.',
  ],
  options: {
    'exit-code': { type: 'flag', about: `exit with ${differsExit} when they differ (default: 0, different or not)` },
  },
  examples: ['tidemark diff flowers:v0 flowers:v1', 'tidemark diff flowers:v0 :latest --exit-code'],
  run: runDiff,
}

async function runDiff({ values, out, signal, connect }: Context): Promise<number> {
  const [from, second] = values.operands
  const to = second.startsWith(':') ? `${from.split(':', 1)[0]}${second}` : second
  const tidemark = await connect()
  const before = await tidemark.getArtifact(from, { signal })
  const after = await tidemark.getArtifact(to, { signal })
  const found = await before.diff(after, { signal })
  const { added, removed, changed } = found
  const differ = added.length + removed.length + changed.length > 0
  const exit = differ && values.flag('exit-code') ? differsExit : 0
  if (out.json) {
    const changes = changed.map(({ path, before, after }) => ({ path, before, after }))
    out.document({ before: versionFacts(before), after: versionFacts(after), added, removed, changed: changes })
    return exit
  }
  const { style } = out
  const title = `${style.bold(versionTitle(before))} → ${style.bold(versionTitle(after))}`
  if (!differ) {
    out.line(`${title}: no difference in content`)
    return exit
  }
  out.line(title)
  for (const { mark, path, what } of lines(found)) {
    const colour = mark === '+' ? style.green : mark === '-' ? style.red : style.yellow
    out.line(`${colour(`${mark} ${printable(path)}`)}  ${style.dim(what)}`)
  }
  out.line(
    `${formatCount(added.length)} added, ${formatCount(removed.length)} removed, ${formatCount(changed.length)} changed`,
  )
  return exit
}

function lines({ added, removed, changed }: VersionDiff) {
  return [
    ...added.map(({ path, size }) => ({ mark: '+', path, what: formatBytes(size) })),
    ...removed.map(({ path, size }) => ({ mark: '-', path, what: formatBytes(size) })),
    ...changed.map(({ path, before, after }) => ({
      mark: '~',
      path,
      what:
        before.digest === after.digest
          ? 'metadata'
          : before.size === after.size
            ? formatBytes(after.size)
            : `${formatBytes(before.size)} → ${formatBytes(after.size)}`,
    })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
}
