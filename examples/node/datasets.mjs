// What the main job logs: real data sets, a small edit for each, and how to tell that what is read back is the same.
import { readdirSync } from 'node:fs'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { PNG } from 'pngjs'
import { Artifact, arrays, file, folder, glob, image } from 'tidemark'
import { count } from './telling.mjs'

const require = createRequire(import.meta.url)

export async function datasets(files) {
  return [
    await flights(files),
    await jobs(files),
    await earthquakes(files),
    weather(files),
    digits(),
    await firefox(files),
    csvs(files),
    zipped(files),
    filed(files),
  ]
}

async function flights(files) {
  const table = tableFromIPC(await readFile(join(files, 'flights-200k.arrow')))
  return {
    name: 'flights',
    kind: 'table (Arrow)',
    value: () => table,
    content: () => `${count(table.numRows)} rows x ${table.numCols}`,
    edited: 'one cell',
    edit: () => {
      const { values, length } = table.getChild('delay').data.at(-1)
      values[length >> 1] = 77
    },
    same: (read) =>
      table.schema.fields.every(({ name }) => sameBytes(table.getChild(name).toArray(), read.getChild(name).toArray())),
  }
}

async function jobs(files) {
  const rows = JSON.parse(await readFile(join(files, 'jobs.json'), 'utf8'))
  return {
    name: 'jobs',
    kind: 'table (rows)',
    value: () => rows,
    content: () => `${count(rows.length)} rows x ${Object.keys(rows[0]).length}`,
    edited: 'one row appended',
    edit: () => {
      rows.push({ ...rows[0], job: 'Data Versioner', count: 1 })
    },
    same: (read) => read.numRows === rows.length && rows.every((one, i) => sameRow(one, read.get(i))),
  }
}

async function earthquakes(files) {
  const dict = JSON.parse(await readFile(join(files, 'earthquakes.json'), 'utf8'))
  return {
    name: 'earthquakes',
    kind: 'dict',
    value: () => dict,
    content: () => `${count(dict.features.length)} features`,
    edited: 'one number',
    edit: () => {
      dict.features[500].properties.mag = 9.9
    },
    same: (read) => JSON.stringify(read) === JSON.stringify(dict),
  }
}

function weather(files) {
  const path = join(files, 'seattle-weather.csv')
  return {
    name: 'weather',
    kind: 'file (CSV)',
    value: () => file(path),
    content: () => '1 file',
    edited: 'one line',
    edit: async () => writeFile(path, (await readFile(path, 'utf8')).replace('2013-06-01,', '2013-06-01,9')),
    same: async (read) => sameBytes(read, await readFile(path)),
  }
}

function digits() {
  const side = 28
  const perDigit = Array.from({ length: 10 }, (_, digit) => require(`mnist/src/digits/${digit}.json`).data)
  const images = Float32Array.from(perDigit.flat())
  const labels = Uint8Array.from(perDigit.flatMap((data, digit) => Array(data.length / side ** 2).fill(digit)))
  const shape = [labels.length, side, side]
  return {
    name: 'digits',
    kind: 'arrays',
    value: () => arrays({ images: { data: images, shape }, labels }),
    content: () => `${count(shape[0])} x ${side} x ${side} float32`,
    edited: 'one pixel',
    edit: () => {
      images[4321 * side ** 2 + 400] = 0.5
    },
    same: (read) =>
      sameBytes(read.images.data, images) &&
      String(read.images.shape) === String(shape) &&
      sameBytes(read.labels.data, labels),
  }
}

async function firefox(files) {
  const { width, height, data } = PNG.sync.read(await readFile(join(files, 'ffox.png')))
  return {
    name: 'firefox',
    kind: 'image',
    value: () => image({ width, height, data }),
    content: () => `${width} x ${height} RGBA`,
    edited: 'one pixel',
    edit: () => {
      data.set([255, 0, 128, 255], 4 * (width * 20 + 30))
    },
    same: (read) => read.width === width && read.height === height && sameBytes(read.data, data),
  }
}

function csvs(files) {
  const names = () => readdirSync(files).filter((name) => name.endsWith('.csv'))
  return {
    name: 'csvs',
    kind: 'glob (zip)',
    value: () => glob('*.csv', { folder: files }),
    content: () => `${count(names().length)} files`,
    edited: 'one file more',
    edit: () => writeFile(join(files, 'tides.csv'), 'time,height\n2026-01-01T00:00,3.2\n'),
    same: (read) => sameFiles(read, files, names()),
  }
}

function zipped(files) {
  const names = () => readdirSync(files)
  return {
    name: 'vega-zip',
    kind: 'folder (zip)',
    value: () => folder(files),
    content: () => `${count(names().length)} files`,
    edited: 'one file changed',
    edit: () => appendFile(join(files, 'airports.csv'), 'TDM,Tidemark,Sea,,,0,0\n'),
    same: (read) => sameFiles(read, files, names()),
  }
}

function filed(files) {
  const names = () => readdirSync(files)
  return {
    name: 'vega',
    kind: 'folder (files)',
    content: () => `${count(names().length)} files`,
    edited: 'one file removed',
    edit: () => rm(join(files, 'zipcodes.csv')),
    log: async (experiment, name, options) => {
      const artifact = new Artifact(name, 'dataset', { metadata: { source: 'vega-datasets' } })
      return experiment.logArtifact(await artifact.add(files, { logicalPath: '' }), options)
    },
    read: async (version) => {
      const read = new Map()
      await version.download(read)
      return read
    },
    same: (read) => sameFiles(read, files, names()),
  }
}

async function sameFiles(read, folder, names) {
  if (read.size !== names.length) return false
  for (const name of names) if (!sameBytes(read.get(name), await readFile(join(folder, name)))) return false
  return true
}

function sameRow(row, read) {
  return Object.entries(row).every(([key, value]) => Object.is(plain(read[key]), value))
}

// Arrow gives 64-bit whole numbers as BigInt.
function plain(value) {
  return typeof value === 'bigint' ? Number(value) : (value ?? null)
}

function sameBytes(one, other) {
  const view = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)
  return view(one).equals(view(other))
}
