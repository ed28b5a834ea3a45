import { CorruptionError, UnsupportedError } from '../../errors.ts'
import { crc32 } from '../../platform/crc32.ts'
import { inflateStream } from '../../platform/inflate-stream.ts'
import { unfilterRow } from './png-filter.ts'
import {
  type Channels,
  COLOURS_CHUNK,
  type DecodedImage,
  DISPLAY_P3,
  isPng,
  MAX_PIXELS,
  OPAQUE_CHUNK,
  SIGNATURE,
} from './png-format.ts'

/** What the header of a PNG says. */
export interface PngHeader {
  readonly width: number
  readonly height: number
  readonly depth: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colourType: number
  readonly interlaced: boolean
}

interface Chunks {
  readonly header: PngHeader
  readonly palette: Uint8Array | undefined
  readonly transparency: Uint8Array | undefined
  readonly wasOpaque: boolean
  readonly colours: Uint8Array | undefined
  readonly data: readonly Uint8Array[]
}

const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}
/** Adam7: first column, first row, column step, row step. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const
/** A deflate match of 258 bytes takes 2 bits at least. */
const MAX_EXPANSION = 1032
const ZLIB_HEADER = 2
const ZLIB_TRAILER = 4

/**
 * Reads any PNG: all colour types and depths, interlaced or not. Samples of less than 8 bits are spread over 8; 16 bits stay. Channels stay as
 * they are, except that a palette becomes RGBA, and a transparent colour adds alpha.
 *
 * @throws CorruptionError `png-damaged`
 * @throws UnsupportedError `image-too-large`
 */
export async function decodePng(bytes: Uint8Array, path = 'image.png'): Promise<DecodedImage> {
  const chunks = readChunks(bytes, path)
  const { header } = chunks
  const passes = passesOf(header)
  const size = passes.reduce((sum, pass) => sum + pass.height * (1 + pass.rowBytes), 0)
  const compressed = chunks.data.reduce((sum, part) => sum + part.length, 0)
  if (size > compressed * MAX_EXPANSION)
    throw damaged(path, `its ${compressed} bytes of pixels cannot be ${header.width} x ${header.height}`)

  const samples = SAMPLES[header.colourType]
  const pixel = Math.max(1, (samples * header.depth) >> 3)
  const image = createImage(chunks)
  const rows = rowsOf(inflateStream(deflated(chunks.data, path), size), passes, path)
  let above = new Uint8Array(0)
  let current = -1
  for await (const { filter, row, pass, y } of rows) {
    if (current !== pass) above = new Uint8Array(row.length)
    current = pass
    if (!unfilterRow(filter, row, above, pixel)) throw damaged(path, `there is no row filter ${filter}`)
    const [x0, y0, dx, dy] = passes[pass].grid
    if (!writeRow(chunks, image, row, y0 + y * dy, x0, dx, passes[pass].width))
      throw damaged(path, 'a pixel is beyond its palette')
    above = row
  }
  return image
}

/** The header alone, checked. */
export function readPngHeader(bytes: Uint8Array, path = 'image.png'): PngHeader {
  return readChunks(bytes, path).header
}

function readChunks(bytes: Uint8Array, path: string): Chunks {
  if (!isPng(bytes)) throw damaged(path, 'it does not start as PNG files do')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let header: PngHeader | undefined
  let palette: Uint8Array | undefined
  let transparency: Uint8Array | undefined
  let wasOpaque = false
  let colours: Uint8Array | undefined
  const data: Uint8Array[] = []
  for (let at = SIGNATURE.length; ; ) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : bytes.length
    if (at + 12 + length > bytes.length) throw damaged(path, 'it ends too early')
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    const content = bytes.subarray(at + 8, at + 8 + length)
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw damaged(path, `its part ${JSON.stringify(type)} does not match its checksum`)
    }
    at += 12 + length
    if ((type === 'IHDR') !== (header === undefined)) throw damaged(path, 'its header is not its first part')
    if (type === 'IHDR') header = parseHeader(content, path)
    else if (type === 'PLTE') palette = content
    else if (type === 'tRNS') transparency = content
    else if (type === 'IDAT') data.push(content)
    else if (type === OPAQUE_CHUNK) wasOpaque = true
    else if (type === COLOURS_CHUNK) colours = content
    else if (type === 'IEND') break
    else if (type >= 'A' && type < 'a') throw damaged(path, `its part ${JSON.stringify(type)} is needed and unknown`)
  }
  if (!header) throw damaged(path, 'it has no header')
  if (header.colourType === 3 && (!palette || palette.length === 0 || palette.length % 3 !== 0))
    throw damaged(path, 'its palette is missing')
  wasOpaque &&= header.colourType === 2 && header.depth === 8
  return { header, palette, transparency, wasOpaque, colours, data }
}

function parseHeader(content: Uint8Array, path: string): PngHeader {
  if (content.length !== 13) throw damaged(path, 'its header has another length')
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const width = view.getUint32(0)
  const height = view.getUint32(4)
  const [depth, colourType, compression, filter, interlace] = content.subarray(8)
  if (!DEPTHS[colourType]?.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw damaged(path, 'its header says what no PNG can be')
  }
  if (width === 0 || height === 0) throw damaged(path, 'it has no pixels')
  if (width * height > MAX_PIXELS) throw tooLarge(path, width, height)
  return { width, height, depth, colourType, interlaced: interlace === 1 }
}

interface Pass {
  readonly width: number
  readonly height: number
  readonly rowBytes: number
  readonly grid: readonly [x0: number, y0: number, dx: number, dy: number]
}

function passesOf({ width, height, depth, colourType, interlaced }: PngHeader): Pass[] {
  const grids = interlaced ? PASSES : ([[0, 0, 1, 1]] as const)
  return grids
    .map((grid) => {
      const across = Math.ceil(Math.max(0, width - grid[0]) / grid[2])
      const down = Math.ceil(Math.max(0, height - grid[1]) / grid[3])
      return { width: across, height: down, rowBytes: Math.ceil((across * SAMPLES[colourType] * depth) / 8), grid }
    })
    .filter((pass) => pass.width > 0 && pass.height > 0)
}

/** The deflate stream inside the zlib stream that the IDAT chunks make together. Its Adler checksum adds nothing to theirs. */
function* deflated(parts: readonly Uint8Array[], path: string): Generator<Uint8Array> {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const start: number[] = []
  let at = 0
  for (const part of parts) {
    for (let i = 0; start.length < ZLIB_HEADER && i < part.length; i++) start.push(part[i])
    const from = Math.max(0, ZLIB_HEADER - at)
    const to = Math.min(part.length, size - ZLIB_TRAILER - at)
    at += part.length
    if (to > from) yield part.subarray(from, to)
  }
  const [method, flags] = start
  if (start.length < ZLIB_HEADER || (method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || flags & 32) {
    throw damaged(path, 'its pixels are not compressed as PNG says')
  }
}

interface Row {
  readonly filter: number
  readonly row: Uint8Array<ArrayBuffer>
  readonly pass: number
  readonly y: number
}

/** Rows are the caller's to change; one stays as it is until the second one after it. */
async function* rowsOf(pieces: AsyncGenerator<Uint8Array>, passes: readonly Pass[], path: string): AsyncGenerator<Row> {
  let pass = 0
  let y = 0
  let filter = -1
  let filled = 0
  let buffers = pass < passes.length ? twoRows(passes[pass]) : twoRows({ rowBytes: 0 })
  try {
    for await (const piece of pieces) {
      let at = 0
      while (at < piece.length && pass < passes.length) {
        if (filter < 0) filter = piece[at++]
        const row = buffers[y % 2]
        const taken = Math.min(row.length - filled, piece.length - at)
        row.set(piece.subarray(at, at + taken), filled)
        filled += taken
        at += taken
        if (filled < row.length) break
        yield { filter, row, pass, y }
        filter = -1
        filled = 0
        if (++y === passes[pass].height) {
          y = 0
          if (++pass < passes.length) buffers = twoRows(passes[pass])
        }
      }
    }
  } catch (cause) {
    if (!(cause instanceof CorruptionError) || cause.code !== 'deflate-damaged') throw cause
    throw damaged(path, 'its pixels cannot be inflated to its size', cause)
  }
}

function twoRows({ rowBytes }: Pick<Pass, 'rowBytes'>): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] {
  return [new Uint8Array(rowBytes), new Uint8Array(rowBytes)]
}

function createImage({ header, transparency, wasOpaque, colours }: Chunks): DecodedImage {
  const { width, height, depth, colourType } = header
  const channels = outputChannels(colourType, transparency !== undefined || wasOpaque)
  const length = width * height * channels
  const image = {
    width,
    height,
    channels,
    data: depth === 16 ? new Uint16Array(length) : new Uint8ClampedArray(length),
  }
  return colours?.join() === DISPLAY_P3.join() ? { ...image, colorSpace: 'display-p3' } : image
}

function outputChannels(colourType: number, withAlpha: boolean): Channels {
  if (colourType === 0) return withAlpha ? 2 : 1
  if (colourType === 2) return withAlpha ? 4 : 3
  return colourType === 4 ? 2 : 4
}

/** Spreads the samples of an unfiltered row over the picture; false when an index is beyond the palette. */
function writeRow(
  chunks: Chunks,
  image: DecodedImage,
  row: Uint8Array,
  y: number,
  x0: number,
  dx: number,
  count: number,
): boolean {
  const { header, palette, transparency } = chunks
  const { depth, colourType } = header
  const { channels, data, width } = image
  const samples = SAMPLES[colourType]
  const base = y * width
  if (depth === 8 && dx === 1 && samples === channels && colourType !== 3) {
    data.set(row, base * channels)
    return true
  }
  const sample = (i: number) => {
    if (depth === 8) return row[i]
    if (depth === 16) return (row[2 * i] << 8) | row[2 * i + 1]
    const bit = i * depth
    return (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1)
  }
  const most = depth === 16 ? 65_535 : 255
  const scale = depth < 8 ? 255 / ((1 << depth) - 1) : 1
  for (let i = 0; i < count; i++) {
    const to = (base + x0 + i * dx) * channels
    if (colourType === 3) {
      const index = sample(i)
      if (!palette || 3 * index >= palette.length) return false
      for (let c = 0; c < 3; c++) data[to + c] = palette[3 * index + c]
      data[to + 3] = transparency?.[index] ?? 255
      continue
    }
    let keyed = transparency !== undefined && transparency.length >= 2 * samples
    for (let c = 0; c < samples; c++) {
      const value = sample(i * samples + c)
      data[to + c] = value * scale
      if (keyed && transparency && value !== ((transparency[2 * c] << 8) | transparency[2 * c + 1])) keyed = false
    }
    if (channels > samples) data[to + samples] = keyed ? 0 : most
  }
  return true
}

function tooLarge(path: string, width: number, height: number): UnsupportedError {
  return new UnsupportedError(
    `The image '${path}' is ${width} x ${height}; at most ${MAX_PIXELS} pixels can be held. Cut it in parts.`,
    {
      code: 'image-too-large',
      fields: { path, width, height },
    },
  )
}

function damaged(path: string, why: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`The PNG '${path}' is damaged: ${why}. Take it from its source again.`, {
    code: 'png-damaged',
    fields: { path },
    cause,
  })
}
