import { InvalidInputError } from '../../errors.ts'

/** Half-open and inside the value. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** What a `Range` header asks for: from `start`, or the last `suffix` bytes. */
export type AskedRange = { readonly start: number; readonly end: number } | { readonly suffix: number }

/** One range of bytes. Other units and several ranges are passed over, as RFC 9110 allows: the answer is then the whole value. */
export function parseRange(header: string | null): AskedRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [start, last] = [Number(match[1]), Number(match[2])]
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(last + 1)) return undefined
  if (match[1] === '') return { suffix: last }
  if (match[2] === '') return { start, end: Number.MAX_SAFE_INTEGER }
  return last < start ? undefined : { start, end: last + 1 }
}

/** @throws InvalidInputError `range-not-satisfiable` */
export function spanOf(asked: AskedRange, size: number): Span {
  const start = 'suffix' in asked ? Math.max(0, size - asked.suffix) : asked.start
  if (start < size) return { start, end: 'suffix' in asked ? size : Math.min(asked.end, size) }
  throw new InvalidInputError(`The range asked for is not within the ${size} bytes there are.`, {
    code: 'range-not-satisfiable',
    fields: { size },
  })
}

export function contentRange({ start, end }: Span, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}
