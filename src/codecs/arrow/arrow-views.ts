import type { BatchBody } from './arrow-body.ts'
import { bytesOf, isValid, type Range } from './arrow-data.ts'

const VIEW_BYTES = 16
/** A view of up to so many bytes holds them itself (Arrow columnar format, "Variable-size Binary View Layout"). */
const VIEW_INLINE = 12

/** Views are rewritten around one data buffer that holds just these rows, in their order. */
export function writeViews(body: BatchBody, ranges: readonly Range[], rows: number, nulls: number): void {
  const start = body.buffer(rows * VIEW_BYTES)
  body.bytes.fill(0, start, body.at)
  const views = new DataView(body.bytes.buffer, body.bytes.byteOffset + start, rows * VIEW_BYTES)
  const long: Uint8Array[] = []
  let total = 0
  let row = 0
  for (const { data, from, to } of ranges) {
    const values = bytesOf(data?.values)
    const source = new DataView(values.buffer, values.byteOffset, values.byteLength)
    for (let index = from; index < to; index += 1, row += 1) {
      if (data === undefined || (nulls > 0 && !isValid(data, index))) continue
      const at = index * VIEW_BYTES
      const length = source.getInt32(at, true)
      views.setInt32(row * VIEW_BYTES, length, true)
      const prefix = length <= VIEW_INLINE ? length : 4
      for (let byte = 0; byte < prefix; byte += 1)
        views.setUint8(row * VIEW_BYTES + 4 + byte, values[at + 4 + byte] ?? 0)
      if (length <= VIEW_INLINE) continue
      const from = source.getInt32(at + 12, true)
      long.push((data.variadicBuffers?.[source.getInt32(at + 8, true)] ?? values).subarray(from, from + length))
      views.setInt32(row * VIEW_BYTES + 12, total, true)
      total += length
    }
  }
  body.variadic.push(long.length === 0 ? 0 : 1)
  if (long.length === 0) return
  let at = body.buffer(total)
  for (const bytes of long) {
    body.bytes.set(bytes, at)
    at += bytes.byteLength
  }
}
