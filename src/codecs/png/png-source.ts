import { InvalidInputError } from '../../errors.ts'
import { viewBytes } from '../byte-pieces.ts'
import { describe, isBlob, isBytes, isImageLike, isTensorLike } from '../capabilities.ts'
import { inThisRealm } from '../realms.ts'
import { type Channels, isPng, MAX_PIXELS, type Pixels } from './png-format.ts'

/** Pixels of anything that has some, or the bytes of a PNG that is one already. */
export async function pngSourceOf(value: unknown): Promise<Pixels | Uint8Array> {
  if (isBytes(value) && !isTensorLike(value)) return pngBytes(viewBytes(value))
  if (isBlob(value)) return pngBytes(new Uint8Array(await value.arrayBuffer()))
  if (isTensorLike(value)) return (await import('./png-tensor.ts')).pixelsOfTensor(value)
  if (!isImageLike(value)) {
    throw invalid(
      'image-value',
      `An image cannot be made of ${describe(value)}. Give ImageData, a canvas, { width, height, data }, a tensor or the bytes of a PNG.`,
    )
  }
  const [width, height] = [sideOf(value, 'Width'), sideOf(value, 'Height')]
  checkSize(width, height)
  // A canvas of @napi-rs/canvas has a method of that name, which gives its pixels with alpha multiplied in.
  if ('data' in value && typeof value.data !== 'function') {
    const pixels = pixelsOfData(width, height, value.data)
    return Reflect.get(value, 'colorSpace') === 'display-p3' ? { ...pixels, colorSpace: 'display-p3' } : pixels
  }
  return (await import('./png-drawn.ts')).pixelsOfDrawn(value, width, height)
}

export function pngBytes(bytes: Uint8Array): Uint8Array {
  if (isPng(bytes)) return bytes
  throw invalid(
    'image-not-png',
    'These bytes are no PNG. Log them as they are with file(...), or decode them to pixels first.',
  )
}

/** `<img>` and `<video>` say their own size apart from the size they are shown in. */
function sideOf(image: object, side: 'Width' | 'Height'): number {
  const sides = [`natural${side}`, `video${side}`, `display${side}`, side.toLowerCase()]
  const found: unknown = sides.map((name): unknown => Reflect.get(image, name)).find((size) => size !== undefined)
  return typeof found === 'number' ? found : Number.NaN
}

export function checkSize(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw invalid(
      'image-empty',
      `An image of ${width} x ${height} pixels has nothing to store. Wait until it is loaded, as by 'await img.decode()', or give it a size.`,
    )
  }
  if (width * height > MAX_PIXELS || width > 0x7fffffff || height > 0x7fffffff) {
    throw invalid(
      'image-too-large',
      `An image of ${width} x ${height} pixels is more than the ${MAX_PIXELS} that can be held. Cut it in parts.`,
    )
  }
}

export function pixelsOfData(width: number, height: number, given: unknown): Pixels {
  const data = ArrayBuffer.isView(given) ? inThisRealm(given) : given
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray || data instanceof Uint16Array)) {
    throw invalid(
      'image-value',
      `The data of an image is ${describe(data)}; give a Uint8ClampedArray, Uint8Array or Uint16Array.`,
    )
  }
  const channels = data.length / (width * height)
  if (!isChannels(channels)) {
    throw invalid(
      'image-shape',
      `An image of ${width} x ${height} has ${data.length} samples; 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) a pixel can be stored.`,
    )
  }
  return { width, height, channels, data }
}

export function isChannels(count: number): count is Channels {
  return count === 1 || count === 2 || count === 3 || count === 4
}

export function invalid(code: string, message: string): InvalidInputError {
  return new InvalidInputError(message, { code })
}
