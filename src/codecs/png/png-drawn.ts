import { PermissionError, UnsupportedError } from '../../errors.ts'
import { describe, hasMethods, isObject } from '../capabilities.ts'
import { onCanvas } from './picture.ts'
import type { Pixels } from './png-format.ts'
import { invalid, pixelsOfData, pngBytes } from './png-source.ts'

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

/**
 * What a canvas shows, or any other picture drawn on one; the PNG itself where a canvas gives only that.
 *
 * @throws PermissionError `image-tainted`; UnsupportedError `image-unreadable`; InvalidInputError as `pngSourceOf`
 */
export async function pixelsOfDrawn(image: object, width: number, height: number): Promise<Pixels | Uint8Array> {
  const canvas = isCanvas(image) ? image : drawn(image, width, height)
  try {
    const context = canvas.getContext('2d')
    if (context && 'getImageData' in context)
      return pixelsOfData(width, height, context.getImageData(0, 0, width, height).data)
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
