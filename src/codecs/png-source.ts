import { InvalidInputError, PermissionError, UnsupportedError } from '../errors.ts'
import { describe, hasMethods, isBlob, isBytes, isImageLike, isObject, isTensorLike } from './capabilities.ts'
import { npyArrayOf } from './npy-values.ts'
import { onCanvas } from './picture.ts'
import { type Channels, isPng, MAX_PIXELS, type Pixels } from './png-format.ts'
import { inThisRealm } from './realms.ts'

/** Pixels of anything that has some, or the bytes of a PNG that is one already. */
export async function pngSourceOf(value: unknown): Promise<Pixels | Uint8Array> {
  if (isBytes(value) && !isTensorLike(value)) return pngBytes(viewOf(value))
  if (isBlob(value)) return pngBytes(new Uint8Array(await value.arrayBuffer()))
  if (isTensorLike(value)) return fromTensor(value)
  if (!isImageLike(value)) {
    throw invalid(
      'image-value',
      `An image cannot be made of ${describe(value)}. Give ImageData, a canvas, { width, height, data }, a tensor or the bytes of a PNG.`,
    )
  }
  const [width, height] = [sideOf(value, 'Width'), sideOf(value, 'Height')]
  checkSize(width, height)
  if ('data' in value) return fromData(width, height, value.data)
  return fromCanvas(isCanvas(value) ? value : drawn(value, width, height), width, height)
}

function viewOf(value: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
}

function pngBytes(bytes: Uint8Array): Uint8Array {
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

function checkSize(width: number, height: number): void {
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

function fromData(width: number, height: number, given: unknown): Pixels {
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

function isChannels(count: number): count is Channels {
  return count === 1 || count === 2 || count === 3 || count === 4
}

/** [height, width] or [height, width, channels]; integers as they are, floats from 0 to 1 as TF.js has them. */
async function fromTensor(value: unknown): Promise<Pixels> {
  const { data, shape, dtype } = await npyArrayOf(value, 'image')
  const [height, width, channels = 1] = shape
  if (shape.length < 2 || shape.length > 3 || !isChannels(channels)) {
    throw invalid(
      'image-shape',
      `An image tensor has the shape [height, width] or [height, width, 1 to 4], channels last, not [${shape.join(', ')}].`,
    )
  }
  checkSize(width, height)
  if (dtype !== 'bool' && (data instanceof Uint8Array || data instanceof Uint8ClampedArray))
    return { width, height, channels, data }
  if (dtype === 'uint16' && data instanceof Uint16Array) return { width, height, channels, data }
  if (dtype !== 'int32' && dtype !== 'float32' && dtype !== 'float64' && dtype !== 'bool') {
    throw invalid(
      'image-dtype',
      `An image tensor is uint8, uint16, int32 (0 to 255), bool, or float32 (0 to 1), not ${dtype}.`,
    )
  }
  const floats = dtype !== 'int32' && dtype !== 'bool'
  const most = dtype === 'int32' ? 255 : 1
  const samples = new Uint8ClampedArray(data.length)
  for (let i = 0; i < data.length; i++) {
    const sample = Number(data[i])
    if (!(sample >= 0 && sample <= most)) {
      throw invalid(
        'image-range',
        `An image tensor of ${dtype} has values from 0 to ${most}; the one at ${i} is ${sample}. Scale it first.`,
      )
    }
    samples[i] = floats || dtype === 'bool' ? Math.floor(sample * 255 + 0.5) : sample
  }
  return { width, height, channels, data: samples }
}

type Canvas = HTMLCanvasElement | OffscreenCanvas

function isCanvas(value: unknown): value is Canvas {
  return hasMethods(value, 'getContext')
}

/** An ImageBitmap, `<img>`, `<video>` or VideoFrame on a canvas of its own. */
function drawn(image: object, width: number, height: number): Canvas {
  const canvas = typeof OffscreenCanvas === 'function' && isDrawable(image) && onCanvas(image, width, height)
  if (canvas) return canvas
  throw new UnsupportedError(
    `The pixels of ${describe(image)} cannot be read here. Give { width, height, data } or the bytes of a PNG.`,
    { code: 'image-unreadable' },
  )
}

function isDrawable(image: object): image is ImageBitmap {
  return !ArrayBuffer.isView(image)
}

async function fromCanvas(canvas: Canvas, width: number, height: number): Promise<Pixels | Uint8Array> {
  try {
    const context = canvas.getContext('2d')
    if (context && 'getImageData' in context)
      return fromData(width, height, context.getImageData(0, 0, width, height).data)
    // The canvas has another context, of WebGL or WebGPU: it gives its picture only encoded.
    const blob = await encodedBy(canvas)
    return pngBytes(new Uint8Array(await blob.arrayBuffer()))
  } catch (cause) {
    if (!isObject(cause) || !('name' in cause) || cause.name !== 'SecurityError') throw cause
    throw new PermissionError(
      'The canvas shows an image of another origin, and the browser keeps its pixels back. Load that image with crossOrigin set, from a server that allows it.',
      { code: 'image-tainted', cause },
    )
  }
}

function encodedBy(canvas: Canvas): Promise<Blob> {
  if ('convertToBlob' in canvas) return canvas.convertToBlob({ type: 'image/png' })
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob)
      else reject(invalid('image-empty', 'The canvas gave no picture. Log it after it was drawn.'))
    }, 'image/png')
  })
}

function invalid(code: string, message: string): InvalidInputError {
  return new InvalidInputError(message, { code })
}
