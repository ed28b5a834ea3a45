import { displayWidth, printable } from './cells.ts'
import { exactJson } from './exact-json.ts'

// Of bytes, so many are shown.
const bytesShown = 8

// What is left of the text before the first difference, so that its place is recognised, and what of the difference is to be seen.
const context = 4
const seen = 4

/** A cell of a table as people read it, on one line. */
export function cellText(value: unknown): string {
  if (typeof value === 'string') return value === '' ? "''" : oneLine(value)
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace('.000Z', 'Z')
  if (value instanceof Uint8Array) return bytesText(value)
  const exact = exactJson(value)
  return typeof exact === 'object' && exact !== null ? oneLine(JSON.stringify(exact)) : String(exact)
}

/** Two cells that differ, as texts that do. */
export function changedTexts(before: unknown, after: unknown): readonly [string, string] {
  const texts = [cellText(before), cellText(after)] as const
  if (texts[0] !== texts[1]) return texts
  // 1 that became '1'.
  const told = (value: unknown, text: string) => (typeof value === 'string' ? `'${text}'` : text)
  return [told(before, texts[0]), told(after, texts[1])]
}

/** Both cut to a width of their own, so that what differs is still seen. */
export function cutTogether(before: string, after: string, width: number): readonly [string, string] {
  let common = 0
  while (common < before.length && common < after.length && before[common] === after[common]) common++
  const start = Math.max(0, common - context)
  const cut = (text: string) => {
    if (displayWidth(text) <= width) return text
    return common + seen < width ? cutEnd(text, width) : `…${cutEnd(text.slice(start), width - 1)}`
  }
  return [cut(before), cut(after)]
}

/** Cuts the end off a text that is too wide. */
export function cutEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  for (const { segment } of graphemes.segment(text.slice(0, width * longestGrapheme))) {
    if (displayWidth(kept + segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
// Families of emoji, the longest in use, have eleven units.
const longestGrapheme = 11

function oneLine(text: string): string {
  return printable(text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t'))
}

function bytesText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, bytesShown), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `<${bytes.length} bytes${shown === '' ? '' : `: ${shown}`}${bytes.length > bytesShown ? ' …' : ''}>`
}
