// The main job of Tidemark on real data: log it, edit it a little, log it again, read both versions back and compare. `npm start` runs it.
import { cp, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'tidemark'
import { datasets } from './datasets.mjs'
import { bytes, count, heading, line, row, total } from './telling.mjs'
import { watched } from './watched.mjs'

const place = await mkdtemp(join(tmpdir(), 'tidemark-'))
const store = join(place, 'store')
const files = join(place, 'files')
await cp(new URL('../../node_modules/vega-datasets/data', import.meta.url), files, { recursive: true })

line(`Real data, logged twice into a new store: ${store}`)
line()
heading()

const began = performance.now()
const tidemark = await connect({ store })
const experiment = await tidemark.createExperiment({ name: 'main job', project: 'tour' })
const sums = { versions: 0, size: 0, stored: 0, wrong: 0 }
const edits = { versions: 0, size: 0, stored: 0 }

for (const one of await datasets(files)) {
  const { name, kind, edit, edited, content, same } = one
  const log = one.log ?? (async (into, as, options) => into.uploadArtifact(as, await one.value(), options))
  const read = one.read ?? ((version) => version.get())
  for (const what of ['', edited]) {
    if (what) await edit()
    let stored = 0
    const start = performance.now()
    const version = await log(experiment, name, {
      onProgress: (progress) => {
        stored = progress.stored
      },
    })
    const ms = performance.now() - start
    const again = await experiment.getArtifact(`${name}:v${version.index}`)
    const equal = await same(await read(again))
    row({ name, version: `v${version.index}`, kind, content: content(), what, size: version.size, stored, ms, equal })
    for (const sum of what ? [sums, edits] : [sums]) {
      sum.versions++
      sum.size += version.size
      sum.stored += stored
    }
    if (!equal) sums.wrong++
  }
}

await experiment.end()
await tidemark.close()

total(sums, performance.now() - began)
line()
if (sums.wrong === 0)
  line(`All ${count(sums.versions)} versions were read back and are equal to the original, bit for bit.`)
else line(`${sums.wrong} of ${count(sums.versions)} versions DIFFER from the original.`)
line(`The ${edits.versions} edited ones, ${bytes(edits.size)}, took ${bytes(edits.stored)} more in the store.`)
line()
const changes = await watched(store, files)
line()
line('Try next:')
const option = `--store ${quoted(store)}`
line(`  npx tidemark ls ${option}`)
line(`  npx tidemark diff vega:v0 :v1 ${option}`)
line(`  npx tidemark diff train:v1 :v2 ${option}`)
line(`  npx tidemark get weather ${quoted(join(place, 'weather'))} ${option}`)
line(`  npx tidemark verify ${option}`)
line(`  npx tidemark put mine README.md --alias first ${option}`)
line()
line(`The program is examples/node/main-job.mjs. Nothing else was written; delete ${place} when you are done.`)
process.exitCode = sums.wrong + changes.wrong === 0 ? 0 : 1

function quoted(path) {
  return path.includes(' ') ? `"${path}"` : path
}
