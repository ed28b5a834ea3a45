import type { Json } from '../codec.ts'

export type Summary = Record<string, Json>

/** Distinct values are counted exactly up to here; beyond, `distinctAtLeast` says so. */
export const MOST_DISTINCT = 1000
const TOP_VALUES = 3

/** Undefined: more than are counted. */
export function distinctCount(distinct: number | undefined): Summary {
  return distinct === undefined ? { distinctAtLeast: MOST_DISTINCT + 1 } : { distinct }
}

/** The most frequent values, when any is there more than once; equally frequent ones as they came. */
export function topValues(counted: readonly { readonly value: Json; readonly count: number }[]): Summary {
  const best = [...counted].sort((a, b) => b.count - a.count).slice(0, TOP_VALUES)
  return best[0] === undefined || best[0].count < 2 ? {} : { top: best.map(({ value, count }) => ({ value, count })) }
}
