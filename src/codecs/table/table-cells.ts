import { DataType } from '../arrow/arrow.ts'
import { isDate } from '../realms.ts'

/**
 * The cells of one piece of a column as they were when it was read, kept in the form that is fastest to compare: to see that a column is as it was must not take
 * building it anew. False when in doubt: then it is built, and what was built is compared.
 */
export interface KeptCells {
  /** Remembers more cells, those after the ones before. */
  take(values: readonly unknown[], from: number, to: number): void
  same(values: readonly unknown[], from: number, to: number): boolean
}

/** For columns of this type; `undefined` where building is as fast, or a cell can change within. */
export function keptCells(type: DataType): (() => KeptCells) | undefined {
  if (DataType.isUtf8(type)) return () => new KeptTexts()
  if (DataType.isTimestamp(type)) return () => new KeptTimes()
  if (DataType.isBool(type)) return () => new KeptFlags()
  return undefined
}

/** Strings do not change: the same one is known by its reference. Holds on to strings that were replaced until their piece is read again. */
class KeptTexts implements KeptCells {
  readonly #cells: unknown[] = []

  take(values: readonly unknown[], from: number, to: number): void {
    for (let index = from; index < to; index += 1) this.#cells.push(values[index])
  }

  same(values: readonly unknown[], from: number, to: number): boolean {
    const cells = this.#cells
    if (cells.length !== to - from) return false
    // Two thirds of the time of `!==`, which looks at the strings first (Node 20).
    for (let index = from; index < to; index += 1) if (!Object.is(values[index], cells[index - from])) return false
    return true
  }
}

/** A Date can be set: only its time counts. */
class KeptTimes implements KeptCells {
  #times = new Float64Array(0)

  take(values: readonly unknown[], from: number, to: number): void {
    const before = this.#times
    const times = new Float64Array(before.length + to - from)
    times.set(before)
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      times[before.length + index - from] = isDate(value) ? value.getTime() : Number.NaN
    }
    this.#times = times
  }

  same(values: readonly unknown[], from: number, to: number): boolean {
    const times = this.#times
    if (times.length !== to - from) return false
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (isDate(value)) {
        // Invalid ones are stored as null.
        if (!Object.is(value.getTime(), times[index - from])) return false
      } else if ((value !== null && value !== undefined) || !Number.isNaN(times[index - from])) return false
    }
    return true
  }
}

class KeptFlags implements KeptCells {
  #flags = new Uint8Array(0)

  take(values: readonly unknown[], from: number, to: number): void {
    const before = this.#flags
    const flags = new Uint8Array(before.length + to - from)
    flags.set(before)
    for (let index = from; index < to; index += 1) flags[before.length + index - from] = flagOf(values[index])
    this.#flags = flags
  }

  same(values: readonly unknown[], from: number, to: number): boolean {
    const flags = this.#flags
    if (flags.length !== to - from) return false
    for (let index = from; index < to; index += 1) if (flagOf(values[index]) !== flags[index - from]) return false
    return true
  }
}

const NEITHER = 3

function flagOf(value: unknown): number {
  if (value === true) return 1
  if (value === false) return 0
  return value === null || value === undefined ? 2 : NEITHER
}
