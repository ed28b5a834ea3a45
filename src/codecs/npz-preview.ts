import { breathe } from '../platform/breathe.ts'
import type { Json, JsonObject } from './codec.ts'
import { float16ToFloat32 } from './npy-float16.ts'
import type { NpyArray } from './npy-values.ts'

/** Elements between two turns of the event loop: about 4 ms. */
const SLICE = 2 * 1024 * 1024

/** Name, dtype, shape, and for real numbers the range, the mean of the finite ones, and how many are NaN. */
export async function summariseArray(name: string, array: NpyArray): Promise<JsonObject> {
  const { dtype, shape, data } = array
  const base = { name, dtype, shape: [...shape] }
  if (!ArrayBuffer.isView(data) || dtype === 'complex64' || dtype === 'complex128' || data.length === 0) return base
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { ...base, ...(await rangeOfBigints(data)) }

  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let sum = 0
  let finite = 0
  let nans = 0
  for (let start = 0; start < data.length; start += SLICE) {
    if (start > 0) await breathe()
    const stored = data.subarray(start, start + SLICE)
    const slice = dtype === 'float16' && stored instanceof Uint16Array ? float16ToFloat32(stored) : stored
    for (let i = 0; i < slice.length; i++) {
      const value = slice[i]
      if (value < min) min = value
      if (value > max) max = value
      // NaN - NaN and Infinity - Infinity are NaN.
      if (value - value === 0) {
        sum += value
        finite++
      } else if (Number.isNaN(value)) nans++
    }
  }
  const summary: Record<string, Json> = { ...base }
  if (nans < data.length) {
    summary.min = asJson(min)
    summary.max = asJson(max)
  }
  if (finite > 0 && Number.isFinite(sum)) summary.mean = sum / finite
  if (nans > 0) summary.nans = nans
  return summary
}

async function rangeOfBigints(data: BigInt64Array | BigUint64Array): Promise<JsonObject> {
  let min = data[0]
  let max = data[0]
  for (let i = 0; i < data.length; i++) {
    if (i % SLICE === SLICE - 1) await breathe()
    if (data[i] < min) min = data[i]
    if (data[i] > max) max = data[i]
  }
  return { min: asJson(min), max: asJson(max) }
}

/** JSON has no infinities and no integers beyond 2^53: these are text. */
function asJson(value: number | bigint): number | string {
  const number = Number(value)
  const exact = typeof value === 'number' ? Number.isFinite(value) : Number.isSafeInteger(number)
  return exact ? number : String(value)
}
