/**
 * What every runtime and every bundler gets: a value and a table are logged and read back, and files by a pattern, over the store that is the default there. TypeScript as text: `tidemark`
 * is the installed package, which nothing in this repository is.
 */
export const program = `import type { Table } from 'apache-arrow'
import { type Artifact, close, createExperiment, glob, type LoggedArtifact } from 'tidemark'

export interface Told {
  readonly digests: Readonly<Record<string, string | undefined>>
  readonly read: readonly unknown[]
}

export async function main(): Promise<Told> {
  const experiment = await createExperiment({ project: 'flowers', logCode: false, logSystemDetails: false })
  const settings: LoggedArtifact = await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
  const rows = await experiment.uploadArtifact('rows', [
    { id: 1, label: 'rose', size: 0.5 },
    { id: 2, label: 'lily', size: null },
  ])
  const files = ['a.txt', 'b.csv', 'c.txt'].map((name) => new File([name], name))
  const texts = await experiment.uploadArtifact('texts', glob('*.txt', { folder: files, ignore: 'c.*' }))
  const value = await (await experiment.getArtifact('settings:v0')).get()
  const table = (await (await experiment.getArtifact('rows')).get()) as Table
  const labels = Array.from({ length: table.numRows }, (_, at) => table.getChild('label')?.get(at))
  await experiment.end()
  await close()
  return { digests: { settings: settings.digest, rows: rows.digest, texts: texts.digest }, read: [value, labels] }
}

// @ts-expect-error: a version is text
export const wrong = (version: LoggedArtifact): number => version.version
export const name = (artifact: Artifact): string => artifact.name
`

/** What it tells, everywhere: other digests are another stored form. */
export const told = {
  digests: {
    settings: '589d8fd58fc9b7e60203e057ee2c98ecb7a39cb63cc538df3fef5ae0708b3da2',
    texts: '30913bd8fcbd7c7cb8a54311c074243d04e320aa1328c2c8e12f2041a171e6b6',
    rows: 'c0a01960b3c1ac1c00b2b64b1ca10455601a7f9fd2b5125386ba3ec29d8adbc2',
  },
  read: [{ lr: 1e-3, layers: [64, 64] }, ['rose', 'lily']],
}
