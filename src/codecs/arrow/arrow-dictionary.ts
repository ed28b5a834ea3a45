import { type ArrowData, bytesOf, isValid, type Range } from './arrow-data.ts'
import type { DictionaryPlan, IndexType, Layout } from './arrow-type.ts'

/**
 * A dictionary of up to so many values always stays one: it is about as large as one column of one batch, so rewriting it is no loss. A
 * larger one stays while every value stands for `WORTHWHILE_ROWS` rows or more. Else it saves little, and since one new value can shift all
 * indices after it, the column is written as plain values, where an edit stays local.
 */
const SMALL_DICTIONARY = 4096
const WORTHWHILE_ROWS = 16

/**
 * One dictionary for a whole stream. Incoming batches may share one, extend it, or bring their own; readers differ on dictionaries that are
 * replaced on the way (flechette keeps only the last), so the values are brought together and the indices mapped.
 */
export function planDictionary(
  pieces: readonly ArrowData[],
  values: Layout,
  options: { id: number; plain: boolean },
): DictionaryPlan {
  const dictionaries = new Set<{ readonly data: readonly ArrowData[] }>()
  let rows = 0
  for (const piece of pieces) {
    rows += piece.length
    if (piece.dictionary) dictionaries.add(piece.dictionary)
  }
  const longest = [...dictionaries].sort((a, b) => size(b.data) - size(a.data))[0]?.data ?? []
  const joined = [...dictionaries].every(({ data }) => isPrefix(data, longest))
    ? { chunks: longest.map(whole), maps: new Map<object, Int32Array | undefined>() }
    : join([...dictionaries], values)
  const count = joined.chunks.reduce((sum, { from, to }) => sum + to - from, 0)
  const useful = count <= SMALL_DICTIONARY || count * WORTHWHILE_ROWS <= rows
  const kept = !options.plain && useful && !hasDictionary(values)
  return { kept, id: options.id, ...joined }
}

/** Whether so many values can be told apart by such an index. */
export function fits(count: number, index: IndexType): boolean {
  return count <= 2 ** (index.width * 8 - (index.signed ? 1 : 0))
}

export function valueCount(plan: DictionaryPlan): number {
  return plan.chunks.reduce((sum, { from, to }) => sum + to - from, 0)
}

function hasDictionary(layout: Layout): boolean {
  if (layout.kind === 'dictionary') return true
  if (layout.kind === 'list' || layout.kind === 'fixed-list') return hasDictionary(layout.child)
  return (layout.kind === 'struct' || layout.kind === 'union') && layout.children.some(hasDictionary)
}

function size(chunks: readonly ArrowData[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}

function whole(data: ArrowData): Range {
  return { data, from: 0, to: data.length }
}

function isPrefix(chunks: readonly ArrowData[], longer: readonly ArrowData[]): boolean {
  return chunks.every((chunk, index) => {
    const other = longer[index]
    return (
      other === chunk ||
      (other !== undefined &&
        other.length === chunk.length &&
        other.values === chunk.values &&
        other.valueOffsets === chunk.valueOffsets &&
        other.nullBitmap === chunk.nullBitmap &&
        chunk.children.length === 0)
    )
  })
}

/** In order of first appearance, each value once where values can be compared by their bytes. */
function join(
  dictionaries: readonly { readonly data: readonly ArrowData[] }[],
  layout: Layout,
): { chunks: Range[]; maps: Map<object, Int32Array | undefined> } {
  const chunks: Range[] = []
  const maps = new Map<object, Int32Array | undefined>()
  const seen = new Map<string, number>()
  let count = 0
  for (const dictionary of dictionaries) {
    const map = new Int32Array(size(dictionary.data))
    let at = 0
    for (const data of dictionary.data) {
      for (let row = 0; row < data.length; row += 1, at += 1) {
        const key = keyOf(layout, data, row)
        const known = key === undefined ? undefined : seen.get(key)
        if (known !== undefined) {
          map[at] = known
          continue
        }
        if (key !== undefined) seen.set(key, count)
        map[at] = count
        count += 1
        const last = chunks[chunks.length - 1]
        if (last?.data === data && last.to === row) chunks[chunks.length - 1] = { data, from: last.from, to: row + 1 }
        else chunks.push({ data, from: row, to: row + 1 })
      }
    }
    maps.set(dictionary, map)
  }
  return { chunks, maps }
}

function keyOf(layout: Layout, data: ArrowData, row: number): string | undefined {
  if (!isValid(data, row)) return 'null'
  if (layout.kind === 'fixed') return text(bytesOf(data.values).subarray(row * layout.width, (row + 1) * layout.width))
  if (layout.kind === 'bytes') {
    const from = Number(data.valueOffsets?.[row] ?? 0)
    return text(bytesOf(data.values).subarray(from, Number(data.valueOffsets?.[row + 1] ?? from)))
  }
  return undefined
}

function text(bytes: Uint8Array): string {
  let result = '='
  for (const byte of bytes) result += String.fromCharCode(byte)
  return result
}
