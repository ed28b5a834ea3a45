// 1,000,000 row objects of 6 columns: the whole way to a committed version, against doing the same by hand, and against the JSON everyone writes.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  Bool,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
} from 'apache-arrow'
import { makeRows } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { race } from './lib/race.mjs'
import { timeRow } from './lib/results.mjs'
import { writeSynced } from './lib/write-synced.mjs'

export const question = 'What do versions cost over writing a table by hand?'

const count = 1_000_000

export const jobs = {
  async tidemark({ folder }) {
    const rows = makeRows(count)
    let to
    return {
      before: async () => {
        to = await openEmbedded(folder)
      },
      sample: async () => {
        const { size } = await to.experiment.uploadArtifact('rows', rows)
        return { size }
      },
      after: async (result) => {
        await to.close()
        return result
      },
    }
  },
  async hand({ folder }) {
    const rows = makeRows(count)
    const path = join(folder, 'rows.arrow')
    return {
      sample: () => {
        const bytes = tableToIPC(columnsByHand(rows), 'stream')
        createHash('sha256').update(bytes).digest('hex')
        writeSynced(path, bytes)
        return { size: bytes.length }
      },
    }
  },
  async json({ folder }) {
    const rows = makeRows(count)
    const path = join(folder, 'rows.json.gz')
    return {
      sample: () => {
        const bytes = gzipSync(JSON.stringify(rows), { level: 1 })
        writeSynced(path, bytes)
        return { size: bytes.length }
      },
    }
  },
}

export async function run() {
  const { tidemark, hand, json } = await race(import.meta.url, ['tidemark', 'hand', 'json'])
  const job = '1,000,000 records of 6 columns to a version on disk'
  return [
    timeRow(job, { ours: tidemark, against: 'columns, IPC, SHA-256, write, fsync by hand', theirs: hand, bar: 1.8 }),
    timeRow(job, { ours: tidemark, against: 'JSON.stringify, gzip level 1, write, fsync', theirs: json, bar: 0.2 }),
  ]
}

// The floor: one pass for each column, straight into the buffers of Arrow. Only for these columns, without nulls.
function columnsByHand(rows) {
  const { length } = rows
  const id = new Int32Array(length)
  const score = new Float64Array(length)
  const valid = new Uint8Array((length + 7) >> 3)
  const seen = new BigInt64Array(length)
  for (let i = 0; i < length; i++) id[i] = rows[i].id
  for (let i = 0; i < length; i++) score[i] = rows[i].score
  for (let i = 0; i < length; i++) if (rows[i].valid) valid[i >> 3] |= 1 << (i & 7)
  for (let i = 0; i < length; i++) seen[i] = BigInt(rows[i].seen.getTime())
  const columns = [
    ['id', makeData({ type: new Int32(), length, nullCount: 0, data: id })],
    ['score', makeData({ type: new Float64(), length, nullCount: 0, data: score })],
    ['label', textByHand(rows, 'label')],
    ['note', textByHand(rows, 'note')],
    ['valid', makeData({ type: new Bool(), length, nullCount: 0, data: valid })],
    ['seen', makeData({ type: new TimestampMillisecond(), length, nullCount: 0, data: seen })],
  ]
  const schema = new Schema(columns.map(([name, { type }]) => new Field(name, type, false)))
  const children = columns.map(([, data]) => data)
  return new Table(
    schema,
    new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })),
  )
}

const encoder = new TextEncoder()

function textByHand(rows, name) {
  const { length } = rows
  const valueOffsets = new Int32Array(length + 1)
  let data = new Uint8Array(length * 16)
  let at = 0
  for (let i = 0; i < length; i++) {
    const text = rows[i][name]
    if (at + text.length * 3 > data.length) {
      const grown = new Uint8Array(data.length * 2)
      grown.set(data)
      data = grown
    }
    let k = 0
    for (; k < text.length; k++) {
      const code = text.charCodeAt(k)
      if (code > 127) break
      data[at + k] = code
    }
    at += k
    if (k < text.length) at += encoder.encodeInto(text.slice(k), data.subarray(at)).written
    valueOffsets[i + 1] = at
  }
  return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data: data.subarray(0, at) })
}
