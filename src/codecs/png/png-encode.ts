import { BLOCK, createRunDeflate } from './png-deflate.ts'
import { filterRow } from './png-filter.ts'
import {
  COLOUR_TYPES,
  COLOURS_CHUNK,
  DISPLAY_P3,
  OPAQUE_CHUNK,
  type Pixels,
  pngChunk,
  SIGNATURE,
} from './png-format.ts'

/** A picture as a PNG, piece by piece: the same bytes for the same picture on every runtime. */
export function* encodePng(pixels: Pixels): Generator<Uint8Array> {
  const { width, height, data } = pixels
  const opaque = isOpaque(pixels)
  const channels = opaque ? 3 : pixels.channels
  const bytesPerSample = data instanceof Uint16Array ? 2 : 1
  yield SIGNATURE
  yield pngChunk('IHDR', header(width, height, bytesPerSample * 8, COLOUR_TYPES[channels]))
  if (pixels.colorSpace) yield pngChunk(COLOURS_CHUNK, DISPLAY_P3)
  if (opaque) yield pngChunk(OPAQUE_CHUNK, new Uint8Array(0))

  const pixel = channels * bytesPerSample
  const length = width * pixel
  const deflate = createRunDeflate()
  const rowsAtOnce = Math.max(1, Math.min(height, Math.floor(BLOCK / (length + 1))))
  const filtered = new Uint8Array(rowsAtOnce * (length + 1))
  let row = new Uint8Array(length)
  let above = new Uint8Array(length)
  let held = 0
  for (let y = 0; y < height; y++) {
    readRow(pixels, opaque, y, row)
    filterRow(row, above, pixel, filtered, held)
    ;[row, above] = [above, row]
    held += length + 1
    if (held < filtered.length && y < height - 1) continue
    for (let at = 0; at < held; at += BLOCK) {
      const last = y === height - 1 && at + BLOCK >= held
      yield pngChunk('IDAT', deflate.block(filtered.subarray(at, Math.min(held, at + BLOCK)), last))
    }
    held = 0
  }
  yield pngChunk('IEND', new Uint8Array(0))
}

function header(width: number, height: number, depth: number, colourType: number): Uint8Array {
  const bytes = new Uint8Array(13)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  bytes[8] = depth
  bytes[9] = colourType
  return bytes
}

function isOpaque({ channels, data }: Pixels): boolean {
  if (channels !== 4 || data instanceof Uint16Array) return false
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false
  return true
}

function readRow(pixels: Pixels, opaque: boolean, y: number, row: Uint8Array): void {
  const { width, channels, data } = pixels
  let from = y * width * channels
  if (opaque) {
    for (let to = 0; to < row.length; to += 3, from += 4) {
      row[to] = data[from]
      row[to + 1] = data[from + 1]
      row[to + 2] = data[from + 2]
    }
  } else if (data instanceof Uint16Array) {
    for (let to = 0; to < row.length; to += 2, from++) {
      row[to] = data[from] >> 8
      row[to + 1] = data[from]
    }
  } else row.set(data.subarray(from, from + row.length))
}
