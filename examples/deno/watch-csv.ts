// Keeps every state of a CSV file, cleaned, as versions of a table: the one it has now, and each that it gets when somebody saves it, until Ctrl-C.
//
//   deno run --allow-read=. --allow-write=.tidemark watch-csv.ts flowers.csv
//
// That is all it is permitted: to read in this folder, and to write in the folder .tidemark in it. It has no network, no environment and no other programs; Deno refuses
// whatever else anyone might put into this file or into what it imports.
import { connect } from 'tidemark'
import { type Cleaned, tableOfCsv } from './clean.ts'

const path = Deno.args[0] ?? 'flowers.csv'
const name = path.replace(/^.*[\\/]/, '').replace(/\.csv$/i, '')

const tidemark = await connect({ store: '.tidemark' })
const experiment = await tidemark.createExperiment({ project: 'csv' })

let cleaned: Cleaned | undefined
let savedAt: number | undefined

// Asked at each look; the file is only read when it was saved since.
const watched = await experiment.registerArtifact(name, async () => {
  const { mtime } = await Deno.stat(path)
  if (!cleaned || mtime?.getTime() !== savedAt) {
    savedAt = mtime?.getTime()
    cleaned = tableOfCsv(await Deno.readTextFile(path))
  }
  return cleaned.columns
})

tell()
for (const note of cleaned?.notes ?? []) console.log(`  ${note}`)
console.log('Save the file again, or end with Ctrl-C.')
watched.addEventListener('version', tell)

// Looked at every two seconds, and at once when a file of this folder was saved. The loop also keeps the program going.
const folder = Deno.watchFs('.', { recursive: false })
Deno.addSignalListener('SIGINT', () => folder.close())
for await (const _ of folder) {
  try {
    await watched.flush()
  } catch (error) {
    console.error(`${path} cannot be kept as it is now: ${error}`)
  }
}

// Takes a last look, and waits until everything is stored.
await experiment.end()
await tidemark.close()

function tell() {
  const { index, version, size } = watched.latest ?? {}
  console.log(`${path} is ${name}:v${index} (${version}): ${cleaned?.rows} rows, ${size} bytes as Arrow`)
}
