import { CorruptionError, InvalidInputError, throwIfAborted } from '../errors.ts'
import { breathe } from '../platform/breathe.ts'
import type { Codec, Encoded, JsonObject } from './codec.ts'
import { decodePng, readPngHeader } from './png/png-decode.ts'
import { encodePng } from './png/png-encode.ts'
import type { DecodedImage, Pixels } from './png/png-format.ts'
import { pngSourceOf } from './png/png-source.ts'
import { thumbnailOf } from './png/png-thumbnail.ts'

/** Pieces of a PNG between two turns of the event loop: 8 blocks of 128 KiB take about 10 ms. */
const PIECES_PER_BREATH = 8
/** PNGs that come as bytes are decoded for their thumbnail up to this size. */
const THUMBNAIL_PIXELS = 4 * 1024 * 1024

/**
 * Images as PNG: ImageData and its like `{ width, height, data }` with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) samples a pixel, 8-bit
 * or in a Uint16Array 16-bit; tensors [height, width] and [height, width, 1 to 4] of uint8, uint16, bool, int32 (0 to 255) or floats (0 to 1,
 * rounded to 8 bits; values outside are refused, not clipped); canvas, OffscreenCanvas, ImageBitmap and `<img>` where there are such; and
 * bytes or a Blob that are a PNG already, which stay as they are.
 *
 * Decoded to `{ width, height, channels, data }`: as many channels and bits as were logged, so that an RGBA image has an ImageData's form; 8-bit
 * samples in a Uint8ClampedArray. Colours are those of sRGB, or, where an image says `colorSpace: 'display-p3'`, of that, as the PNG and what is
 * decoded say too; a canvas is read as sRGB. A PNG of others keeps its channels, but a palette becomes RGBA, a transparent colour adds alpha, and less
 * than 8 bits become 8. Equal pixels are equal bytes on every runtime.
 *
 * @example
 * ```ts
 * const encoded = await pngCodec.encode({ width: 2, height: 1, data: Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 255) })
 * ```
 */
export const pngCodec: Codec = {
  kind: 'png',

  /**
   * @throws InvalidInputError `image-value`, `image-shape`, `image-range`, `image-dtype`, `image-empty`, `image-too-large`, `image-not-png`
   * @throws PermissionError `image-tainted`
   * @throws UnsupportedError `image-unreadable`
   */
  async encode(value, options): Promise<Encoded> {
    const source = await pngSourceOf(value)
    throwIfAborted(options?.signal)
    const encoded = source instanceof Uint8Array ? await passedOn(source) : fresh(source, options?.signal)
    return { kind: 'png', extension: '.png', mediaType: 'image/png', cuts: 'content', ...encoded }
  },

  /** @throws CorruptionError `png-damaged`; UnsupportedError `image-too-large` */
  async decode(asset): Promise<DecodedImage> {
    return decodePng(await asset.bytes(), asset.path)
  },
}

type Body = Pick<Encoded, 'body' | 'preview' | 'size'>

function fresh(pixels: Pixels, signal: AbortSignal | undefined): Body {
  async function* body(): AsyncGenerator<Uint8Array> {
    let count = 0
    for (const piece of encodePng(pixels)) {
      throwIfAborted(signal)
      yield piece
      if (++count % PIECES_PER_BREATH === 0) await breathe()
    }
  }
  return { body: body(), preview: () => previewOf(pixels, thumbnailOf(pixels)) }
}

/** A PNG stays as it is; a broken one is refused now, not when it is read. */
async function passedOn(bytes: Uint8Array): Promise<Body> {
  try {
    const { width, height, depth } = readPngHeader(bytes)
    if (width * height > THUMBNAIL_PIXELS) {
      return { body: [bytes], size: bytes.length, preview: () => ({ kind: 'png', width, height, bitDepth: depth }) }
    }
    const pixels = await decodePng(bytes)
    return {
      body: [bytes],
      size: bytes.length,
      preview: () => ({ ...previewOf(pixels, thumbnailOf(pixels)), bitDepth: depth }),
    }
  } catch (cause) {
    if (!(cause instanceof CorruptionError)) throw cause
    throw new InvalidInputError(`${cause.message} To log the bytes as they are, use file(...).`, {
      code: 'png-damaged',
      cause,
    })
  }
}

function previewOf({ width, height, channels, data }: Pixels, thumbnail: string): JsonObject {
  return { kind: 'png', width, height, channels, bitDepth: data instanceof Uint16Array ? 16 : 8, thumbnail }
}
