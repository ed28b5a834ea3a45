import type { MetricValue } from '../../protocol/log.ts'
import { orNull } from './run-state.ts'
import { listedName, type Points, toMetricValue } from './series.ts'

// Comet's own figures.
const mostPoints = 15_000
const sampledPoints = 500

export interface ChartOptions {
  /** Up to 15,000 points; else about 500. */
  readonly full: boolean
  /** Each metric at its own steps; else all at those that every one of them has. */
  readonly independent: boolean
  readonly startTime: number
}

export interface ChartMetric {
  readonly metricName: string
  readonly values: readonly MetricValue[]
  readonly steps: readonly (number | null)[]
  readonly epochs: readonly (number | null)[]
  readonly timestamps: readonly (number | null)[]
  readonly durations: readonly number[]
}

export interface Chart {
  readonly steps: readonly (number | null)[]
  readonly epochs: readonly (number | null)[]
  readonly metrics: readonly ChartMetric[]
}

/** Some series as a picture needs them. */
export function chartOf(series: readonly Points[], options: ChartOptions): Chart {
  const most = options.full ? mostPoints : sampledPoints
  if (options.independent) {
    const metrics = series.map((points) => chartMetric(points, samples(points.values, most), options.startTime))
    return { steps: metrics[0]?.steps ?? [], epochs: metrics[0]?.epochs ?? [], metrics }
  }
  const all = series.map(stepsOf)
  const wanted = thinnedOut(all.map(distinct).reduce<Float64Array | undefined>(common, undefined), most)
  const metrics = series.map((points, at) => chartMetric(points, placesOf(all[at], wanted), options.startTime))
  const epochs = Array.from(wanted, (_, at) => metrics.find(({ epochs }) => epochs[at] !== null)?.epochs[at] ?? null)
  return { steps: Array.from(wanted), epochs, metrics }
}

/** `places` are indexes into the points. */
function chartMetric(points: Points, places: Int32Array, startTime: number): ChartMetric {
  const { values, steps, epochs, timestamps } = points
  const at = (column: Float64Array) => Array.from(places, (place) => orNull(column[place]))
  return {
    metricName: listedName(points),
    values: Array.from(places, (place) => toMetricValue(values[place])),
    steps: at(steps),
    epochs: at(epochs),
    timestamps: at(timestamps),
    durations: Array.from(places, (place) => timestamps[place] - startTime),
  }
}

/** The first, the last, and of equal stretches between the least and the greatest: no peak is lost. */
export function samples(values: Float64Array, most: number): Int32Array {
  const { length } = values
  if (length <= most) return Int32Array.from({ length }, (_, at) => at)
  const stretches = Math.floor((most - 2) / 2)
  const places = new Int32Array(2 * stretches + 2)
  let count = 1
  const inner = length - 2
  for (let stretch = 0; stretch < stretches; stretch++) {
    const start = 1 + Math.floor((stretch * inner) / stretches)
    const end = 1 + Math.floor(((stretch + 1) * inner) / stretches)
    let low = start
    let high = start
    for (let at = start + 1; at < end; at++) {
      const value = values[at]
      // NaN is neither: what is next to it is.
      if (value < values[low] || Number.isNaN(values[low])) low = at
      if (value > values[high] || Number.isNaN(values[high])) high = at
    }
    if (low !== high) places[count++] = Math.min(low, high)
    places[count++] = Math.max(low, high)
  }
  places[count++] = length - 1
  return places.subarray(0, count)
}

/** Where no steps were logged, points are counted. */
function stepsOf({ steps }: Points): Float64Array {
  return steps.some(Number.isNaN) ? Float64Array.from(steps, (step, at) => (Number.isNaN(step) ? at : step)) : steps
}

/** Each once and in order. */
function distinct(steps: Float64Array): Float64Array {
  const sorted = isSorted(steps) ? steps : steps.slice().sort()
  return sorted.filter((step, at) => at === 0 || step !== sorted[at - 1])
}

function common(one: Float64Array | undefined, other: Float64Array): Float64Array {
  let at = 0
  return (one ?? other).filter((step) => {
    while (at < other.length && other[at] < step) at++
    return other[at] === step
  })
}

function thinnedOut(steps: Float64Array | undefined, most: number): Float64Array {
  const all = steps ?? new Float64Array(0)
  if (all.length <= most) return all
  return Float64Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))])
}

/** For each wanted step the last point of a series that has it. */
function placesOf(steps: Float64Array, wanted: Float64Array): Int32Array {
  const places = new Int32Array(wanted.length)
  if (isSorted(steps)) {
    let at = 0
    for (const [index, step] of wanted.entries()) {
      while (at < steps.length && steps[at] <= step) at++
      places[index] = at - 1
    }
    return places
  }
  const index = new Map(Array.from(wanted, (step, at) => [step, at]))
  for (const [at, step] of steps.entries()) {
    const place = index.get(step)
    if (place !== undefined) places[place] = at
  }
  return places
}

function isSorted(numbers: Float64Array): boolean {
  for (let at = 1; at < numbers.length; at++) if (numbers[at] < numbers[at - 1]) return false
  return true
}
