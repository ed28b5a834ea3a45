import { isTidemarkError } from '../../errors.ts'
import { joined } from '../../platform/joined.ts'
import type { Store } from '../../stores/store.ts'
import type { Forward, Forwards, MovedRange } from './forwards.ts'
import { type PackObject, readLayout } from './pack-objects.ts'
import { packKey, tooShort } from './packs.ts'

// Below this share of dead bytes copying the rest costs more than it frees: git and restic choose about the same.
const worthRewriting = 1 / 4

/** What is left of a pack, and how many bytes that frees. */
export interface Remainder {
  readonly object: PackObject
  /** As it was before the pack was condemned: a pack that came back since is left alone. */
  readonly forward: Forward | undefined
  /** Stored forms that are needed, in order. */
  readonly kept: readonly { readonly start: number; readonly length: number }[]
  readonly freed: number
}

/**
 * Packs of which only a part is needed. Manifests name a chunk by pack and offset and never change, so the pack keeps its name: what is needed of it is
 * stored under a new key, and its forwarding record says where each byte has gone.
 */
export class Rewriting {
  readonly #blobs: Store
  readonly #forwards: Forwards

  constructor(blobs: Store, forwards: Forwards) {
    this.#blobs = blobs
    this.#forwards = forwards
  }

  /** `undefined` when it is not worth it. */
  async plan(
    object: PackObject,
    forward: Forward | undefined,
    live: ReadonlySet<number>,
  ): Promise<Remainder | undefined> {
    const moved = object.to !== '' && forward?.ranges ? forward.ranges : undefined
    const pieces =
      moved ?? (await readLayout(this.#blobs, object)).map(({ offset, length }) => ({ start: offset, length }))
    const kept = pieces.filter(({ start }) => live.has(start)).map(({ start, length }) => ({ start, length }))
    const bytes = kept.reduce((sum, { length }) => sum + length, 0)
    const freed = object.size - bytes
    return freed > object.size * worthRewriting ? { object, forward, kept, freed } : undefined
  }

  /** False, with nothing changed, when the pack came back meanwhile, or was made smaller already. */
  async carryOut({ object, forward, kept }: Remainder, run: string): Promise<boolean> {
    const { pack, to } = object
    const isMoved = to !== ''
    const old = await this.#blobs.get(packKey(pack, to))
    // Two objects of one pack, and this was what was left of it before the other.
    if (!old) return false
    const ranges: MovedRange[] = []
    const pieces: Uint8Array[] = []
    let at = 0
    for (const { start, length } of kept) {
      const from = isMoved && forward?.ranges ? placeOf(forward.ranges, start) : start
      const piece = old.bytes.subarray(from, from + length)
      if (piece.length !== length) throw tooShort(pack)
      pieces.push(piece)
      ranges.push({ start, length, at })
      at += length
    }
    const size = isMoved && forward ? forward.size : object.size
    // Not the key that a pack coming back during this collection gets.
    const next = `${run}-part`
    await this.#put(packKey(pack, next), joined(pieces))
    if (!(await this.#forwards.write(pack, forward, next, size, ranges))) {
      await this.#blobs.delete(packKey(pack, next))
      return false
    }
    await this.#blobs.delete(packKey(pack, to))
    // What was left of it before, when the whole had come back beside it.
    if (forward?.to && forward.to !== to) await this.#blobs.delete(packKey(pack, forward.to))
    return true
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#blobs.put(key, bytes, { ifAbsent: true })
    } catch (error) {
      // Only this run writes this key: it is our own write, whose answer was lost.
      if (!isTidemarkError(error) || error.code !== 'store-conflict') throw error
    }
  }
}

function placeOf(ranges: readonly MovedRange[], start: number): number {
  return ranges.find((range) => range.start === start)?.at ?? 0
}
