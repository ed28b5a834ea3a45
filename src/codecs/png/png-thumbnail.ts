import { encodePng } from './png-encode.ts'
import type { Pixels } from './png-format.ts'

/** Pixels of the longer side, largest first: the first that is small enough is taken. */
const SIDES = [48, 32, 24, 16]
/** Characters of base64: previews are listed by the hundred. */
const MAX_LENGTH = 2_000
/** Points averaged for one pixel, in each direction: enough against flicker, whatever the image's size. */
const POINTS = 4
/** The lowest bits are noise at this size, and the most of the bytes. */
const KEPT_BITS = 0xf8

/** A small picture of a picture: a PNG in base64, under 2 kB. */
export function thumbnailOf(pixels: Pixels): string {
  let text = ''
  for (const side of SIDES) {
    text = base64([...encodePng(shrunk(pixels, side))])
    if (text.length <= MAX_LENGTH) break
  }
  return text
}

function shrunk(pixels: Pixels, side: number): Pixels {
  const { width, height, channels, data } = pixels
  const scale = Math.max(1, Math.max(width, height) / side)
  const across = Math.max(1, Math.round(width / scale))
  const down = Math.max(1, Math.round(height / scale))
  const small = new Uint8Array(across * down * channels)
  const shift = data instanceof Uint16Array ? 8 : 0
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let j = 0; j < POINTS; j++) {
          const row = Math.floor(((y + (j + 0.5) / POINTS) * height) / down)
          for (let i = 0; i < POINTS; i++) {
            const column = Math.floor(((x + (i + 0.5) / POINTS) * width) / across)
            sum += data[(row * width + column) * channels + c] >> shift
          }
        }
        const mean = Math.floor(sum / (POINTS * POINTS))
        // White stays white, and opaque stays opaque.
        small[(y * across + x) * channels + c] = mean >= KEPT_BITS ? 255 : mean & KEPT_BITS
      }
    }
  }
  return { ...pixels, width: across, height: down, data: small }
}

function base64(parts: Uint8Array[]): string {
  let binary = ''
  for (const part of parts) for (const byte of part) binary += String.fromCharCode(byte)
  return btoa(binary)
}
