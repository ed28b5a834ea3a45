// Writes test/compat/<version>/: a store as this version of Tidemark writes it, and what must be read from it for ever. Run it (after `npm run build`) when the
// stored form changes, with a new version number; never replace what an earlier version wrote.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Artifact, arrays, connect, image, table } from 'tidemark'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const folder = fileURLToPath(new URL(`../test/compat/${version}/`, import.meta.url))
if (existsSync(folder)) {
  console.error(`${folder} exists: what a version wrote is kept. Raise the version in package.json first.`)
  process.exit(2)
}
mkdirSync(folder, { recursive: true })

const tidemark = await connect({ store: `${folder}store` })
const experiment = await tidemark.createExperiment({ name: 'compat', project: 'compat' })
const count = 3000
const columns = {
  id: Int32Array.from({ length: count }, (_, index) => index),
  value: Float64Array.from({ length: count }, (_, index) => Math.sqrt(index)),
  label: Array.from({ length: count }, (_, index) => (index % 7 === 0 ? null : `label ${index % 5}`)),
  seen: Array.from({ length: count }, (_, index) => new Date(1.7e12 + index * 60_000)),
}
await experiment.uploadArtifact('table', table(columns))
columns.value[1234] = -1
columns.label[2000] = 'another label'
await experiment.uploadArtifact('table', table(columns), { aliases: ['edited'] })
await experiment.uploadArtifact('dict', {
  lr: 0.001,
  layers: [64, 64],
  nothing: null,
  odd: [Number.NaN, 10n, new Date(0)],
})
await experiment.uploadArtifact(
  'arrays',
  arrays({ w: Float32Array.from({ length: 64 }, (_, index) => index / 3), s: ['a', 'bc'] }),
)
await experiment.uploadArtifact(
  'image',
  image({ width: 16, height: 16, data: Uint8ClampedArray.from({ length: 1024 }, (_, at) => at * 7) }),
)
const noise = Uint8Array.from({ length: 300_000 }, (_, at) => Math.imul(at ^ (at >>> 3), 0x9e3779b1) >>> 24)
const dataset = new Artifact('Dataset É', 'dataset', {
  aliases: ['golden'],
  versionTags: ['raw'],
  metadata: { source: 'field' },
  version: '2.1.0',
})
await dataset.add(noise, { logicalPath: 'bytes/noise.bin' })
await dataset.add('text with ünïcode', { logicalPath: 'notes.txt' })
for (let index = 0; index < 400; index++) await dataset.add({ index }, { logicalPath: `many/${index}.json` })
await dataset.addRemote('s3://bucket/data.parquet')
const first = await experiment.logArtifact(dataset)
const draft = await first.newDraft()
draft.remove('many/7.json')
noise[150_000] ^= 1
await draft.add(noise, { logicalPath: 'bytes/noise.bin', overwrite: true })
await experiment.logArtifact(draft)
await experiment.uploadArtifact('gone', 'deleted')
await (await experiment.getArtifact('gone')).delete()
await experiment.end()

const expected = []
for await (const artifact of tidemark.getArtifacts()) {
  for (const logged of await tidemark.getVersions(artifact.name).toArray()) {
    const assets = (await logged.getAssets()).map(({ logicalPath, size, digest, type }) => [
      logicalPath,
      type,
      size,
      digest,
    ])
    const { name, index, version, digest, aliases, versionTags, metadata, count } = logged
    expected.push({ name, index, version, digest, aliases, versionTags, metadata, count, assets: assets.slice(0, 12) })
  }
}
await tidemark.close()
writeFileSync(`${folder}expected.json`, `${JSON.stringify(expected, null, 1)}\n`)
console.log(`${folder}: ${expected.length} versions`)
