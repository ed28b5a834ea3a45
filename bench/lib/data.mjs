// Made from fixed seeds, so that every run works on the same bytes.
import { createCipheriv } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that no compressor makes smaller and no chunk of which comes twice: AES in counter mode, 1 GB/s. */
export function randomBytes(seed) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return (length) => cipher.update(Buffer.alloc(length))
}

/** Numbers from 0 up to 1. */
export function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const words =
  'amber basil cedar delta ember fjord grove hazel iris jade kelp linen maple north ochre pearl quartz river slate tulip umber violet willow xenon yarrow zinc'.split(
    ' ',
  )

/** Records of 6 columns: whole number, number, label of 20, four words, boolean, date. */
export function makeRows(count) {
  const random = randomNumbers(1)
  const word = () => words[Math.floor(random() * words.length)]
  const labels = Array.from({ length: 20 }, (_, i) => `label-${i}`)
  return Array.from({ length: count }, (_, id) => ({
    id,
    score: random() * 100,
    label: labels[Math.floor(random() * labels.length)],
    note: [word(), word(), word(), word()].join(' '),
    valid: random() < 0.5,
    seen: new Date(1_600_000_000_000 + id * 1000),
  }))
}

/** Columns, typed where they have a type: id, timestamp, two numbers, label of 20, four words, boolean. */
export function makeColumns(count) {
  const random = randomNumbers(1)
  const word = () => words[Math.floor(random() * words.length)]
  const columns = {
    id: new Int32Array(count),
    time: new Array(count),
    delay: new Float64Array(count),
    distance: new Float64Array(count),
    carrier: new Array(count),
    note: new Array(count),
    cancelled: new Array(count),
  }
  for (let i = 0; i < count; i++) {
    columns.id[i] = i
    columns.time[i] = new Date(1_700_000_000_000 + i * 1000 + Math.floor(random() * 1000))
    columns.delay[i] = random() * 300
    columns.distance[i] = random() * 5000
    columns.carrier[i] = `carrier-${Math.floor(random() * 20)}`
    columns.note[i] = [word(), word(), word(), word()].join(' ')
    columns.cancelled[i] = random() < 0.02
  }
  return columns
}

/** Records of 10 fields. */
export function makeRecords(count) {
  const random = randomNumbers(1)
  return makeRows(count).map((row) => ({
    ...row,
    left: random(),
    right: Math.floor(random() * 1000),
    name: `row ${row.id}`,
    comment: row.id % 3 === 0 ? null : row.note.slice(0, 5),
  }))
}

/** RGBA, like a photo: smooth light, edges, and the noise of a sensor. */
export function makePhoto(width, height) {
  const random = randomNumbers(2)
  const data = new Uint8ClampedArray(width * height * 4)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = ((x >> 7) ^ (y >> 6)) & 1 ? 18 : 0
      const light = 110 + 70 * Math.sin(x / 190) * Math.cos(y / 240) + 25 * Math.sin((x + y) / 37) + edge
      const noise = (random() + random() - 1) * 8
      data[at++] = light + noise
      data[at++] = light * 0.85 + 20 + noise + (random() - 0.5) * 4
      data[at++] = light * 0.7 + 40 + noise + (random() - 0.5) * 4
      data[at++] = 255
    }
  }
  return { width, height, data }
}

/** A file of random bytes, on the disk when this returns. */
export function makeLargeFile(path, size) {
  const next = randomBytes(3)
  const piece = 16 * 1024 * 1024
  const file = openSync(path, 'w')
  for (let written = 0; written < size; written += piece) writeSync(file, next(Math.min(piece, size - written)))
  fsyncSync(file)
  closeSync(file)
}

/** `count` files of `size` random bytes in subfolders of 250. */
export function makeFiles(folder, count, size) {
  const next = randomBytes(4)
  for (let i = 0; i < count; i++) {
    const parent = join(folder, `part-${String(Math.floor(i / 250)).padStart(4, '0')}`)
    if (i % 250 === 0) mkdirSync(parent, { recursive: true })
    writeFileSync(join(parent, `file-${String(i).padStart(6, '0')}.bin`), next(size))
  }
}
