import { InvalidInputError } from '../../errors.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { assertWellFormed } from '../well-formed.ts'
import { NullMask } from './table-nulls.ts'

/** Above this many characters `TextEncoder.encodeInto` is faster than the loop here (Node 20: even at about 48). */
const LONG_TEXT = 64
/**
 * A new piece begins after so many bytes, so that growing never copies more and offsets stay far below 2^31. With 16 MiB a table of 1M records took two more
 * collections of garbage, 60 to 90 ms each: memory outside the heap counts too.
 */
const PIECE_BYTES = 4 * 1024 * 1024
/** Room for the block of rows that passes the mark. */
const ROOM_BYTES = 256 * 1024
const FIRST_BYTES = 64 * 1024
/** Offsets are 32-bit with a sign. */
const MAX_BYTES = 2 ** 31 - 1

/** Joining pays from about so many texts on; and up to so many characters, far below the longest string there can be. */
const FEWEST_JOINED = 16
const MOST_JOINED = 4 * 1024 * 1024

const encoder = new TextEncoder()

/** Strings or byte strings, one after another, with offsets: the buffers of a Utf8 or Binary column. */
export class BytesColumn {
  #bytes: Uint8Array
  #at = 0
  #offsets: Int32Array
  #rows = 0
  #nulls = new NullMask()
  #done: ArrowData[] = []
  readonly #pieces: boolean

  /** `pieces`: the column may come in several (a list's elements may not). */
  constructor(rows: number, pieces: boolean) {
    this.#bytes = new Uint8Array(Math.min(Math.max(FIRST_BYTES, rows * 8), PIECE_BYTES + ROOM_BYTES))
    this.#offsets = new Int32Array(Math.max(16, rows + 1))
    this.#pieces = pieces
  }

  /** Call between rows now and then. */
  breathe(): void {
    if (!this.#pieces || this.#at < PIECE_BYTES) return
    this.#done.push(this.#piece())
    this.#bytes = new Uint8Array(PIECE_BYTES + ROOM_BYTES)
    this.#at = 0
    this.#offsets = this.#offsets.subarray(this.#rows + 1)
    this.#rows = 0
    this.#reserveRows(0)
    // Memory that served before holds what it held.
    this.#offsets[0] = 0
    this.#nulls = new NullMask()
  }

  nulls(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#nulls.add(this.#rows)
      this.#end()
    }
  }

  /**
   * Strings, null and undefined.
   *
   * @throws InvalidInputError `lone-surrogate`
   */
  texts(values: ArrayLike<unknown>, from: number, to: number, locate: (index: number) => string): void {
    this.#reserveRows(to - from)
    if (!this.#joined(values, from, to)) this.#oneByOne(values, from, to, locate)
  }

  /**
   * The way of almost all texts: joined by the engine and encoded at once, two to three times as fast as character by character (Node 20: 1M texts of 23 characters
   * 30 ms). False, with nothing done, when they are not ASCII: offsets are lengths only there.
   */
  #joined(values: ArrayLike<unknown>, from: number, to: number): boolean {
    if (to - from < FEWEST_JOINED || !Array.isArray(values)) return false
    const offsets = this.#offsets
    const start = this.#at
    let at = start
    let rows = this.#rows
    for (let index = from; index < to; index += 1) {
      const value: unknown = values[index]
      if (typeof value === 'string') at += value.length
      else this.#nulls.add(rows)
      offsets[++rows] = at
    }
    if (at - start > MOST_JOINED) return false
    this.#reserve(at - start)
    // `join` takes null and undefined for nothing.
    const whole = from === 0 && to === values.length ? values : values.slice(from, to)
    const { read, written } = encoder.encodeInto(whole.join(''), this.#bytes.subarray(start, at))
    if (read !== at - start || written !== at - start) return false
    this.#at = at
    this.#rows = rows
    return true
  }

  /** One loop with its state in locals: a call for each string would take twice as long. */
  #oneByOne(values: ArrayLike<unknown>, from: number, to: number, locate: (index: number) => string): void {
    let bytes = this.#bytes
    const offsets = this.#offsets
    let at = this.#at
    let rows = this.#rows
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (typeof value !== 'string') {
        this.#nulls.add(rows)
        offsets[++rows] = at
        continue
      }
      const { length } = value
      // Three bytes at most for each UTF-16 unit.
      if (at + length * 3 > bytes.byteLength) {
        this.#at = at
        this.#reserve(length * 3)
        bytes = this.#bytes
      }
      if (length > LONG_TEXT) {
        const { written } = encoder.encodeInto(value, bytes.subarray(at))
        if (written !== length) assertWellFormed(value, () => locate(index))
        at += written
      } else {
        for (let place = 0; place < length; place += 1) {
          const unit = value.charCodeAt(place)
          if (unit < 0x80) {
            bytes[at++] = unit
          } else if (unit < 0x800) {
            bytes[at++] = 0xc0 | (unit >> 6)
            bytes[at++] = 0x80 | (unit & 0x3f)
          } else {
            // Surrogates, paired or lone, and all the rest: rare enough to leave to the platform.
            assertWellFormed(value, () => locate(index))
            at += encoder.encodeInto(value.slice(place), bytes.subarray(at)).written
            break
          }
        }
      }
      offsets[++rows] = at
    }
    this.#at = at
    this.#rows = rows
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength)
    this.#bytes.set(value, this.#at)
    this.#at += value.byteLength
    this.#end()
  }

  finish(): ArrowData[] {
    this.#done.push(this.#piece())
    return this.#done
  }

  /** What came since the last time. Its memory is written over from now on. */
  take(): ArrowData[] {
    const taken = this.finish()
    this.#offsets[0] = 0
    this.#done = []
    this.#at = 0
    this.#rows = 0
    this.#nulls = new NullMask()
    return taken
  }

  #end(): void {
    this.#reserveRows(1)
    this.#rows += 1
    this.#offsets[this.#rows] = this.#at
  }

  #reserveRows(rows: number): void {
    const needed = this.#rows + rows + 1
    if (needed <= this.#offsets.length) return
    const grown = new Int32Array(Math.max(needed, this.#offsets.length * 2))
    grown.set(this.#offsets)
    this.#offsets = grown
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.byteLength) return
    if (needed > MAX_BYTES) {
      throw new InvalidInputError(
        'A column holds more than 2 GiB of text or bytes in one place. Store such values as files of their own.',
        { code: 'column-too-large', fields: { bytes: needed } },
      )
    }
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.byteLength * 2), MAX_BYTES))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
  }

  #piece(): ArrowData {
    return {
      length: this.#rows,
      offset: 0,
      nullBitmap: this.#nulls.bitmap(this.#rows),
      values: this.#bytes.subarray(0, this.#at),
      valueOffsets: this.#offsets.subarray(0, this.#rows + 1),
      children: [],
    }
  }
}
