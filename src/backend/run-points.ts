import type { JsonValue } from '../protocol/shapes.ts'
import { bySeries, decodeBlock, encodeBlock, joinPoints } from './metric-block.ts'
import type { Point, Series } from './run-state.ts'
import { type Points, seriesKey } from './series.ts'
import type { Shape } from './shape.ts'

/** Points as an entry holds them: one series for each key. */
export function encodePoints(points: readonly Points[]): { block: JsonValue; bytes: Uint8Array } {
  return encodeBlock([...bySeries(points).values()].map(joinPoints))
}

/** Undoes it. What it gives takes them into what is known of their series. */
export function readPoints(shape: Shape, attachment: Uint8Array): (series: Map<string, Series>) => readonly Points[] {
  const points = decodeBlock(shape, attachment)
  return (series) => {
    for (const one of points) summarize(series, one)
    return points
  }
}

function summarize(all: Map<string, Series>, points: Points): void {
  const { name, context, values, steps, epochs, timestamps } = points
  const count = values.length
  if (count === 0) return
  const point = (at: number): Point => ({
    value: values[at],
    step: steps[at],
    epoch: epochs[at],
    timestamp: timestamps[at],
  })
  const key = seriesKey(points)
  const known = all.get(key)
  const series = known ?? { name, context, count: 0, min: point(0), max: point(0), current: point(0) }
  if (!known) all.set(key, series)
  let [low, high] = [-1, -1]
  let { value: least } = series.min
  let { value: greatest } = series.max
  for (let at = 0; at < count; at++) {
    const value = values[at]
    // A number is less than "not a number", and greater too: NaN is told only where there is nothing else.
    if (value < least || (Number.isNaN(least) && !Number.isNaN(value))) {
      least = value
      low = at
    }
    if (value > greatest || (Number.isNaN(greatest) && !Number.isNaN(value))) {
      greatest = value
      high = at
    }
  }
  if (low >= 0) series.min = point(low)
  if (high >= 0) series.max = point(high)
  series.current = point(count - 1)
  series.count += count
}
