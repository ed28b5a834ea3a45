import { tagOf } from '../tag-of.ts'

/**
 * What a canvas or a bitmap shows at this moment, on a canvas of its own: the next frame is drawn over it, a WebGL canvas is blank once it was shown, a bitmap may be
 * closed. Nor does a canvas that has no context yet get one by being looked at. Anything else, and what shows nothing, is given back as it is.
 */
export function pictureOf(value: unknown): unknown {
  try {
    return isPicture(value) ? (onCanvas(value, value.width, value.height) ?? value) : value
  } catch {
    // Empty, or in a runtime that cannot draw it: that is told where it is read.
    return value
  }
}

/** Anything that can be drawn, drawn. */
export function onCanvas(picture: CanvasImageSource, width: number, height: number): OffscreenCanvas | undefined {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')
  context?.drawImage(picture, 0, 0, width, height)
  return context ? canvas : undefined
}

function isPicture(value: unknown): value is HTMLCanvasElement | OffscreenCanvas | ImageBitmap {
  return /Canvas|Bitmap$/.test(tagOf(value))
}
