import { crc32 } from '../../platform/crc32.ts'

/** A picture as it is held and stored. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  readonly channels: Channels
  /** Row by row from the top, samples of a pixel together; 16-bit samples in a Uint16Array. */
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array
  /** Where the colours are not those of sRGB. */
  readonly colorSpace?: 'display-p3'
}

export type Channels = 1 | 2 | 3 | 4

/** As `decode` gives it: an ImageData's form when `channels` is 4 and the samples are 8-bit. */
export interface DecodedImage extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer> | Uint16Array<ArrayBuffer>
}

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** The colour type of a channel count. */
export const COLOUR_TYPES: Readonly<Record<Channels, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 }

/**
 * A chunk of our own: this RGB image was an opaque RGBA one, and is read back as that. (Alpha that is 255 everywhere is 15 % of a photo's
 * size.) Ancillary, private, not to be copied by programs that change the image: any reader may ignore it.
 */
export const OPAQUE_CHUNK = 'opAQ'

/**
 * The chunk that says how colours are meant, and what it holds for Display P3: its primaries, the curve of sRGB, RGB, full range
 * (PNG, third edition, 11.3.2.6, with the code points of ITU-T H.273).
 */
export const COLOURS_CHUNK = 'cICP'
export const DISPLAY_P3 = Uint8Array.of(12, 13, 0, 1)

/** Pixels one image may have: 16,384 x 16,384, the largest canvas of browsers. */
export const MAX_PIXELS = 2 ** 28

export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= SIGNATURE.length && SIGNATURE.every((byte, i) => bytes[i] === byte)
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(data.length + 12)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, data.length)
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i)
  chunk.set(data, 8)
  view.setUint32(data.length + 8, crc32(chunk.subarray(4, data.length + 8)))
  return chunk
}
