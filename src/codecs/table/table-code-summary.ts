import type { Column } from '../arrow/arrow-column.ts'
import { indexAt, isValid } from '../arrow/arrow-data.ts'
import type { Json } from '../codec.ts'
import type { Steps } from '../steps.ts'
import { distinctCount, MOST_DISTINCT, type Summary, topValues } from './table-distinct.ts'
import { exactCell } from './table-exact.ts'
import { jsonCell } from './table-json-cell.ts'
import { meaningOf } from './table-same.ts'

/** By the values their indices stand for: two codes may stand for one value, and two values may look alike once they are cut. */
export function* codes({ layout, field, chunks }: Column): Steps<Summary> {
  if (layout.kind !== 'dictionary') return {}
  const counts = new Map<string, { readonly value: Json; count: number }>()
  for (const data of chunks) {
    const size = (data.dictionary?.data ?? []).reduce((sum, { length }) => sum + length, 0)
    const used = new Uint32Array(size)
    const first = new Int32Array(size)
    for (let row = 0; row < data.length; row += 1) {
      if (!isValid(data, row)) continue
      const code = indexAt(data, row)
      if (used[code] === 0) first[code] = row
      used[code] = (used[code] ?? 0) + 1
    }
    for (const [code, count] of used.entries()) {
      if (count === 0) continue
      const row = first[code] ?? 0
      const key = meaningOf(exactCell({ type: field.type, layout, data }, row))
      const known = counts.get(key)
      if (known) known.count += count
      else counts.set(key, { value: jsonCell(field.type, layout, data, row), count })
      if (counts.size > MOST_DISTINCT) return distinctCount(undefined)
    }
    yield
  }
  return { ...distinctCount(counts.size), ...topValues([...counts.values()]) }
}
