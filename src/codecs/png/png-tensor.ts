import { npyArrayOf } from '../npz/npy-values.ts'
import type { Pixels } from './png-format.ts'
import { checkSize, invalid, isChannels } from './png-source.ts'

/** [height, width] or [height, width, channels]; integers as they are, floats from 0 to 1 as TF.js has them. */
export async function pixelsOfTensor(value: unknown): Promise<Pixels> {
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
