import type { MetricValue } from '../../protocol/log.ts'

/** Points of one series in the order in which they were logged. NaN in steps and epochs: none. */
export interface Points {
  readonly name: string
  readonly context: string | null
  readonly values: Float64Array
  readonly steps: Float64Array
  readonly epochs: Float64Array
  readonly timestamps: Float64Array
}

export function seriesKey({ name, context }: { readonly name: string; readonly context: string | null }): string {
  return context === null ? name : `${context}\u0000${name}`
}

/** As Comet lists it: `train_loss`. */
export function listedName({ name, context }: { readonly name: string; readonly context: string | null }): string {
  return context === null ? name : `${context}_${name}`
}

export function toMetricValue(value: number): MetricValue {
  if (Number.isFinite(value)) return value
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? 'Infinity' : '-Infinity'
}
