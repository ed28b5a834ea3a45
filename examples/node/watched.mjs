// A watched table on real data: edited in place, each change noticed, and what it cost beside what sending the whole table costs.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tableFromIPC } from 'apache-arrow'
import { connect } from 'tidemark'
import { fsStore } from 'tidemark/stores/fs'
import { change, changesHeading, count, line } from './telling.mjs'

export async function watched(folder, files) {
  const arrow = tableFromIPC(await readFile(join(files, 'flights-200k.arrow')))
  const columns = Object.fromEntries(
    arrow.schema.fields.map(({ name }) => [name, arrow.getChild(name).toArray().slice()]),
  )
  const store = counting(fsStore(folder))
  const tidemark = await connect({ store })
  const experiment = await tidemark.createExperiment({ name: 'watched table', project: 'tour' })

  line(
    `The flights, ${count(arrow.numRows)} rows, as columns that are watched. "Whole" is what sending all of it as gzipped CSV takes, made on the spot.`,
  )
  line()
  changesHeading()
  let train
  let wrong = 0
  for (const [what, edit] of edits) {
    edit(columns)
    store.written = 0
    const start = performance.now()
    train ??= await experiment.registerArtifact('train', columns)
    await train.flush()
    const ms = performance.now() - start
    const written = store.written
    const before = performance.now()
    const whole = gzipSync(csv(columns)).length
    const equal = same(columns, await train.latest.get())
    if (!equal) wrong++
    change({ version: `v${train.latest.index}`, what, written, ms, whole, wholeMs: performance.now() - before, equal })
  }
  await experiment.end()
  await tidemark.close()
  line()
  line('Nobody told the table that it changed: it is looked at every two seconds, here at once.')
  return { wrong }
}

const edits = [
  ['', () => undefined],
  [
    'one cell',
    ({ delay }) => {
      delay[123_456] = 77
    },
  ],
  ['one row put in', (columns) => replaceAll(columns, (values) => spliced(values, 100_000, [42]))],
  [
    '100 rows appended',
    (columns) => replaceAll(columns, (values) => spliced(values, values.length, values.slice(0, 100))),
  ],
  [
    'a column added',
    (columns) => {
      columns.late = Array.from(columns.delay, (minutes) => minutes > 15)
    },
  ],
]

function replaceAll(columns, change) {
  for (const name of Object.keys(columns)) columns[name] = change(columns[name])
}

function spliced(values, at, more) {
  const longer = new values.constructor(values.length + more.length)
  longer.set(values.subarray(0, at))
  longer.set(more, at)
  longer.set(values.subarray(at), at + more.length)
  return longer
}

/** Counts the bytes of everything that is written: packs, records, heads. */
function counting(store) {
  const counted = Object.create(store)
  counted.written = 0
  counted.put = (key, value, options) => {
    counted.written += value.length
    return store.put(key, value, options)
  }
  return counted
}

function csv(columns) {
  const names = Object.keys(columns)
  const lines = [names.join(',')]
  for (let row = 0; row < columns.delay.length; row++) lines.push(names.map((name) => columns[name][row]).join(','))
  return lines.join('\n')
}

function same(columns, table) {
  return Object.entries(columns).every(([name, values]) => {
    const read = table.getChild(name)
    return read.length === values.length && values.every((value, row) => read.get(row) === value)
  })
}
