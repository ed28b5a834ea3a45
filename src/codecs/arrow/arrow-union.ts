import type { BatchBody } from './arrow-body.ts'
import { bytesOf, mergedRanges, type Range } from './arrow-data.ts'
import type { Layout } from './arrow-type.ts'

/** Type ids, offsets begun at zero for each child, and just the children's values that these rows show. */
export function writeUnion(
  body: BatchBody,
  layout: Extract<Layout, { kind: 'union' }>,
  ranges: readonly Range[],
  rows: number,
): void {
  const types = new Int8Array(rows)
  const offsets = new Int32Array(layout.dense ? rows : 0)
  const childOf = new Map(layout.typeIds.map((id, index) => [id, index]))
  const inner: Range[][] = layout.children.map(() => [])
  const lengths = layout.children.map(() => 0)
  let row = 0
  for (const { data, from, to } of ranges) {
    for (let index = from; index < to; index += 1, row += 1) {
      const id = data?.typeIds?.[index] ?? layout.typeIds[0] ?? 0
      types[row] = id
      if (!layout.dense) continue
      const child = childOf.get(id) ?? 0
      const at = Number(data?.valueOffsets?.[index] ?? 0)
      offsets[row] = lengths[child] ?? 0
      lengths[child] = (lengths[child] ?? 0) + 1
      inner[child]?.push({ data: data?.children[child], from: at, to: at + 1 })
    }
    if (layout.dense) continue
    for (const [child, list] of inner.entries()) list.push({ data: data?.children[child], from, to })
  }
  put(body, bytesOf(types))
  if (layout.dense) put(body, bytesOf(offsets))
  layout.children.forEach((child, index) => {
    const list = inner[index] ?? []
    body.column(child, layout.dense ? mergedRanges(list) : list, layout.dense ? (lengths[index] ?? 0) : rows)
  })
}

function put(body: BatchBody, bytes: Uint8Array): void {
  const start = body.buffer(bytes.byteLength)
  body.bytes.set(bytes, start)
}
