import { breathe } from '../../platform/breathe.ts'
import type { Json, JsonObject } from '../codec.ts'
import { float16ToFloat32 } from './npy-float16.ts'
import type { NpyArray } from './npy-values.ts'

/** Elements between two turns of the event loop: about 4 ms. A whole number of blocks. */
const SLICE = 2 * 1024 * 1024
/** Elements made float64 at a time, in the CPU's cache: one loop for all types stays fast, one that meets them all does not. */
const BLOCK = 4096

/** Name, dtype, shape, and for real numbers the range, the mean of the finite ones, and how many are NaN. */
export async function summariseArray(name: string, array: NpyArray): Promise<JsonObject> {
  const { dtype, shape, data } = array
  const base = { name, dtype, shape: [...shape] }
  if (dtype === 'string' || dtype === 'complex64' || dtype === 'complex128' || data.length === 0) return base
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { ...base, ...(await rangeOfBigints(data)) }

  const range = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, finite: 0, nans: 0 }
  const block = new Float64Array(BLOCK)
  for (let start = 0; start < data.length; start += BLOCK) {
    if (start % SLICE === 0 && start > 0) await breathe()
    const stored = data.subarray(start, start + BLOCK)
    block.set(dtype === 'float16' && stored instanceof Uint16Array ? float16ToFloat32(stored) : stored)
    addBlock(range, block.subarray(0, stored.length))
  }
  const { min, max, sum, finite, nans } = range
  const summary: Record<string, Json> = { ...base }
  if (nans < data.length) {
    summary.min = asJson(min)
    summary.max = asJson(max)
  }
  if (finite > 0 && Number.isFinite(sum)) summary.mean = sum / finite
  if (nans > 0) summary.nans = nans
  return summary
}

interface Range {
  min: number
  max: number
  sum: number
  finite: number
  nans: number
}

function addBlock(range: Range, values: Float64Array): void {
  let { min, max } = range
  let even = 0
  let odd = 0
  // Two sums, as one addition waits for the one before.
  const pairs = values.length - 1
  let i = 0
  for (; i < pairs; i += 2) {
    const a = values[i]
    const b = values[i + 1]
    if (a < min) min = a
    if (a > max) max = a
    if (b < min) min = b
    if (b > max) max = b
    even += a
    odd += b
  }
  if (i < values.length) {
    const last = values[i]
    if (last < min) min = last
    if (last > max) max = last
    even += last
  }
  range.min = min
  range.max = max
  const sum = even + odd
  if (Number.isFinite(sum)) {
    range.sum += sum
    range.finite += values.length
    return
  }
  for (const value of values) {
    if (Number.isFinite(value)) {
      range.sum += value
      range.finite++
    } else if (Number.isNaN(value)) range.nans++
  }
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
