import type { VerifyReport } from '../index.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { damagedExit, differsExit } from './failure.ts'
import { formatBytes, formatDuration, formatNumber } from './human.ts'
import { versionTitle } from './version-facts.ts'

export const verify: Command = {
  name: 'verify',
  summary: 'read everything that is stored against its digests, or compare a folder with a version',
  operands: { usage: '[NAME[:VERSION]] [DIR]', least: 0, most: 2 },
  about: [
    `Without a NAME: all versions of all artifacts. Damage is named asset by asset; the exit code is ${damagedExit} then.`,
    `With a DIR: its files are compared with the version. The exit code is ${differsExit} when something is missing, different or extra.`,
  ],
  options: {},
  examples: ['tidemark verify', 'tidemark verify flowers:v3', 'tidemark verify flowers ./flowers'],
  run: runVerify,
}

interface Verified extends VerifyReport {
  readonly workspace: string
  readonly name: string
  readonly index: number
  readonly version: string
}

async function runVerify(context: Context): Promise<number> {
  const { values, out, connect } = context
  const began = performance.now()
  const [name, dir] = values.operands
  const tidemark = await connect()
  const { signal, onProgress } = context
  const versions: Verified[] = []
  const done = (one: Verified) => {
    versions.push(one)
    if (!out.json) tell(one, context)
  }
  if (dir === undefined) {
    for await (const one of tidemark.verify(name, { signal, onProgress })) done(one)
  } else {
    const logged = await tidemark.getArtifact(name, { signal })
    const { workspace, index, version } = logged
    done({ workspace, name: logged.name, index, version, ...(await logged.verify(dir, { signal, onProgress })) })
  }
  const ok = versions.every((one) => one.ok)
  if (out.json) out.document({ ok, versions })
  else {
    const files = versions.reduce((sum, one) => sum + one.files, 0)
    const bytes = versions.reduce((sum, one) => sum + one.bytes, 0)
    const bad = versions.filter((one) => !one.ok).length
    const verdict = ok
      ? out.style.green('All is well')
      : out.style.red(`${formatNumber(bad, 'version')} not as written`)
    const looked = `${formatNumber(versions.length, 'version')}, ${formatNumber(files, 'asset')}, ${formatBytes(bytes)}`
    out.line(`${verdict}: ${looked} verified in ${formatDuration(performance.now() - began)}`)
  }
  if (versions.some(({ damaged }) => damaged.length > 0)) return damagedExit
  return ok ? 0 : differsExit
}

function tell(one: Verified, { out, values }: Context): void {
  const { style } = out
  const mark = one.ok ? style.green('✓') : style.red('✗')
  const named = values.text('workspace') === undefined && one.workspace !== 'default' ? `${one.workspace}/` : ''
  out.line(
    `${mark} ${named}${versionTitle(one)}  ${style.dim(`${formatNumber(one.files, 'asset')}, ${formatBytes(one.bytes)}`)}`,
  )
  const bad = (word: string, path: string, why = '') =>
    out.line(`  ${style.red(word)} ${printable(path)}${why === '' ? '' : `: ${printable(why)}`}`)
  for (const { path, message } of one.damaged) bad('damaged', path === '' ? 'the list of assets' : path, message)
  for (const path of one.missing) bad('missing', path)
  for (const path of one.different) bad('different', path)
  for (const path of one.extra) bad('extra', path)
}
