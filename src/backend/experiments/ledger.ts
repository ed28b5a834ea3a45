import { ConflictError, InvalidInputError } from '../../errors.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { pause } from '../pause.ts'
import { recordShape, type Shape } from '../shape.ts'
import type { StoredRecord, StoreRecords } from '../store-records.ts'

/** What a ledger is about: how its entries change its state, and what its head keeps of it. */
export interface LedgerKind<State, Item> {
  empty(): State
  /** The state that a head holds. */
  fromHead(shape: Shape): Promise<State>
  /** One entry for several items. */
  toEntry(items: readonly Item[]): Promise<{ json: { readonly [key: string]: JsonValue }; attachment?: Uint8Array }>
  /** Reads and checks an entry; what it gives takes it into the state, at once, when its turn has come. */
  read(shape: Shape, attachment: Uint8Array): Promise<(state: State) => void>
  /** What makes heads, of the state at the moment at which it is called: its code may have to be loaded, and the state grows meanwhile. */
  folding(): Promise<(state: State) => Promise<Folded>>
}

/** What the head is to hold of all entries there were; the state may have grown since. */
export interface Folded {
  readonly json: { readonly [key: string]: JsonValue }
  /** Called when the head holds it. */
  done?(): void
  after?(): Promise<void>
  /** Another head is there: somebody else's, which may build upon this one when only the answer about it was lost. */
  dropped?(head: Shape | undefined): Promise<void>
}

/** Something to be added. */
export interface Addition<State, Item> {
  /**
   * Decides when its turn has come, on all that is stored by then. Nothing: there is nothing to add. It may be asked again, and changes nothing.
   */
  readonly decide: (state: State) => Item | undefined
  /** Two additions with one lane never share an entry: the second decides on what the first has stored. */
  readonly lane?: string
  /** Bytes it takes, about. */
  readonly bytes: number
}

interface Waiting<State, Item> extends Addition<State, Item> {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

interface Held<State> {
  readonly state: State
  /** Entries below are in the head. */
  from: number
  /** Number of the next entry. */
  next: number
  head: { etag: string } | undefined
  /** What lies in each slot, where it is known; `undefined` for an empty one. */
  readonly slots: Map<number, { etag: string } | undefined>
  /** Bytes of the entries that are not in the head. */
  bytes: number
}

const slots = 64

// Half the ring: folding runs beside further writing, which then has the other half.
const foldAfter = 32
const foldAfterBytes = 2 * 1024 * 1024

// Entries are read whole; a group of small requests is far below, one large request may come near.
const largestEntry = 16 * 1024 * 1024
const largestGroup = 4 * 1024 * 1024
const mostInGroup = 4096

const format = 1

/**
 * A list that only grows, with a summary: the durable form is told in docs/spec.md, "Ledgers". What is asked while an entry is being written goes into the next
 * one together, so that one sync serves many requests. What is kept in memory is only what the store holds; any number of ledgers may work on the same keys.
 */
export class Ledger<State, Item> {
  readonly #records: StoreRecords
  readonly #base: string
  readonly #kind: LedgerKind<State, Item>
  readonly #background: (work: Promise<void>) => void
  readonly #randomId: () => string
  #held: Held<State> | undefined
  #loading: Promise<Held<State>> | undefined
  #queue: Waiting<State, Item>[] = []
  #writing = false
  #folding: Promise<void> | undefined

  constructor(options: {
    records: StoreRecords
    /** Its keys begin with this. */
    base: string
    kind: LedgerKind<State, Item>
    /** Told of work that nobody waits for. */
    background: (work: Promise<void>) => void
    randomId: () => string
  }) {
    this.#records = options.records
    this.#base = options.base
    this.#kind = options.kind
    this.#background = options.background
    this.#randomId = options.randomId
  }

  /** The state with everything that was stored before it was asked for. It goes on changing: take what is needed before waiting for anything. */
  async read(): Promise<State> {
    return (await this.#current()).state
  }

  /** Forgets what is held in memory: something it refers to has gone. */
  forget(): void {
    this.#held = undefined
  }

  /** Resolves when it is durable. */
  append(addition: Addition<State, Item>): Promise<void> {
    if (addition.bytes > largestEntry) return Promise.reject(tooLarge())
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...addition, resolve, reject })
      if (!this.#writing) void this.#write()
    })
  }

  async #write(): Promise<void> {
    this.#writing = true
    try {
      while (this.#queue.length > 0) {
        const group = this.#takeGroup()
        try {
          await this.#commit(group)
        } catch (error) {
          this.#held = undefined
          for (const { reject } of group) reject(error)
        }
      }
    } finally {
      this.#writing = false
    }
  }

  #takeGroup(): Waiting<State, Item>[] {
    const group: Waiting<State, Item>[] = []
    const later: Waiting<State, Item>[] = []
    const lanes = new Set<string>()
    let bytes = 0
    for (const one of this.#queue) {
      const fits = group.length === 0 || (bytes + one.bytes <= largestGroup && group.length < mostInGroup)
      if (!fits || (one.lane !== undefined && lanes.has(one.lane))) {
        // What comes behind it in its lane may not overtake it.
        if (one.lane !== undefined) lanes.add(one.lane)
        later.push(one)
        continue
      }
      if (one.lane !== undefined) lanes.add(one.lane)
      bytes += one.bytes
      group.push(one)
    }
    this.#queue = later
    return group
  }

  async #commit(group: readonly Waiting<State, Item>[]): Promise<void> {
    let held = this.#held ?? (await this.#current())
    for (let attempt = 0; ; attempt++) {
      const { items, refused } = decide(group, held.state)
      // What is refused on a state that somebody else has changed meanwhile may be in order.
      if (refused.size > 0 && attempt === 0) {
        held = await this.#current()
        continue
      }
      if (items.length === 0 || (await this.#put(held, items))) {
        for (const one of group) {
          const reason = refused.get(one)
          if (reason === undefined) one.resolve()
          else one.reject(reason.error)
        }
        return
      }
      await pause(attempt, () => busy(this.#base))
      held = await this.#current()
    }
  }

  /** False when somebody else has taken the number. */
  async #put(held: Held<State>, items: readonly Item[]): Promise<boolean> {
    if (held.next - held.from >= slots) {
      await this.#fold(held)
      return false
    }
    const n = held.next
    const at = n % slots
    const known = held.slots.has(at) ? held.slots.get(at) : await this.#freeSlot(held, n)
    if (known === 'taken') return false
    const { json, attachment = new Uint8Array(0) } = await this.#kind.toEntry(items)
    const entry = { format, base: this.#base, n, write: this.#randomId(), ...json }
    const takeIn = await this.#kind.read(this.#entryShape(entry, at), attachment)
    const put = await this.#exchange(this.#slotKey(at), known, entry, attachment)
    if (!put) {
      held.slots.delete(at)
      return false
    }
    held.slots.set(at, { etag: put.etag })
    // A reader may have met it in the store already.
    if (held.next === n) {
      takeIn(held.state)
      held.next = n + 1
      held.bytes += put.size
    }
    if (held.next - held.from >= foldAfter || held.bytes >= foldAfterBytes) this.#foldAside(held)
    return true
  }

  /** Writes a record in place of the one that was read. A lost race may be one against ourselves, when only the answer to a first attempt was lost. */
  async #exchange(
    key: string,
    read: { etag: string } | undefined,
    json: { readonly write: string; readonly [key: string]: JsonValue },
    attachment?: Uint8Array,
  ): Promise<{ etag: string; size: number } | undefined> {
    const put = await this.#records.exchange(key, read, json, attachment)
    if (put) return put
    const stored = await this.#records.read(key, key)
    return stored && recordShape(stored.json, key).optionalText('write') === json.write ? stored : undefined
  }

  /** What lies in the slot of entry `n`, for its replacement. */
  async #freeSlot(held: Held<State>, n: number): Promise<{ etag: string } | undefined | 'taken'> {
    const at = n % slots
    const stored = await this.#readSlot(at)
    if (stored && this.#entryShape(stored.json, at).count('n') >= n) return 'taken'
    held.slots.set(at, stored && { etag: stored.etag })
    return stored
  }

  #foldAside(held: Held<State>): void {
    if (this.#folding) return
    // A failure is met again, and told, by the writer who needs the room.
    const work = this.#fold(held).catch(() => {
      if (this.#held === held) this.#held = undefined
    })
    this.#background(work)
  }

  #fold(held: Held<State>): Promise<void> {
    this.#folding ??= this.#foldNow(held).finally(() => {
      this.#folding = undefined
    })
    return this.#folding
  }

  async #foldNow(held: Held<State>): Promise<void> {
    const fold = await this.#kind.folding()
    const { next, bytes } = held
    const { json, done, after, dropped } = await fold(held.state)
    const head = { format, base: this.#base, from: next, write: this.#randomId(), ...json }
    const put = await this.#exchange(this.#headKey, held.head, head)
    if (!put) {
      if (this.#held === held) this.#held = undefined
      const there = dropped && (await this.#records.read(this.#headKey, this.#headName))
      await dropped?.(there && recordShape(there.json, this.#headName))
      return
    }
    held.head = { etag: put.etag }
    held.from = next
    held.bytes -= bytes
    done?.()
    await after?.()
  }

  async #current(): Promise<Held<State>> {
    const held = this.#held
    if (held) {
      if (await this.#catchUp(held)) return held
      if (this.#held === held) this.#held = undefined
    }
    if (this.#loading) {
      // It began before this was asked for, and may not have seen what was stored between.
      await this.#loading
      return this.#current()
    }
    this.#loading = this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #load(): Promise<Held<State>> {
    for (let attempt = 0; ; attempt++) {
      const stored = await this.#records.read(this.#headKey, this.#headName)
      const held = await this.#begin(stored)
      if (await this.#readAhead(held)) {
        this.#held = held
        return held
      }
      await pause(attempt, () => busy(this.#base))
    }
  }

  async #begin(stored: StoredRecord | undefined): Promise<Held<State>> {
    if (!stored) return { state: this.#kind.empty(), from: 0, next: 0, head: undefined, slots: new Map(), bytes: 0 }
    const shape = recordShape(stored.json, this.#headName)
    if (shape.text('base') !== this.#base) throw shape.refuse('another record lies in its place')
    const from = shape.count('from')
    const state = await this.#kind.fromHead(shape)
    return { state, from, next: from, head: stored, slots: new Map(), bytes: 0 }
  }

  /** Reads entries that came since; false when the ring has gone round, and the head must be read again. */
  async #catchUp(held: Held<State>): Promise<boolean> {
    for (;;) {
      const n = held.next
      if (n - held.from >= slots) return true
      const at = n % slots
      const stored = await this.#readSlot(at)
      // A write of our own has been taken in while this was read.
      if (held.next !== n) continue
      const outcome = await this.#takeIn(held, stored, at)
      if (outcome !== 'taken') return outcome === 'end'
    }
  }

  /** The same for many entries: several are read at once. */
  async #readAhead(held: Held<State>): Promise<boolean> {
    const atOnce = 8
    while (held.next - held.from < slots) {
      const count = Math.min(held.next === held.from ? 1 : atOnce, held.from + slots - held.next)
      const numbers = Array.from({ length: count }, (_, ahead) => (held.next + ahead) % slots)
      const read = await Promise.all(numbers.map((at) => this.#readSlot(at)))
      for (const [index, at] of numbers.entries()) {
        const outcome = await this.#takeIn(held, read[index], at)
        if (outcome !== 'taken') return outcome === 'end'
      }
    }
    return true
  }

  async #takeIn(held: Held<State>, stored: StoredRecord | undefined, at: number): Promise<'taken' | 'end' | 'wrapped'> {
    held.slots.set(at, stored && { etag: stored.etag })
    if (!stored) return 'end'
    const shape = this.#entryShape(stored.json, at)
    const n = shape.count('n')
    if (n < held.next) return 'end'
    if (n > held.next) return 'wrapped'
    const takeIn = await this.#kind.read(shape, stored.attachment)
    // Another reader has taken it in meanwhile.
    if (held.next !== n) return 'taken'
    takeIn(held.state)
    held.next = n + 1
    held.bytes += stored.size
    return 'taken'
  }

  #entryShape(json: JsonValue, at: number): Shape {
    const shape = recordShape(json, this.#slotKey(at))
    if (shape.text('base') !== this.#base) throw shape.refuse('another record lies in its place')
    return shape
  }

  #readSlot(at: number): Promise<StoredRecord | undefined> {
    const key = this.#slotKey(at)
    return this.#records.read(key, key)
  }

  #slotKey(at: number): string {
    return `${this.#base}/log/${String(at).padStart(2, '0')}`
  }

  get #headKey(): string {
    return `${this.#base}/head`
  }

  get #headName(): string {
    return `The head of ${this.#base}`
  }
}

function decide<State, Item>(
  group: readonly Waiting<State, Item>[],
  state: State,
): { items: Item[]; refused: Map<Waiting<State, Item>, { error: unknown }> } {
  const items: Item[] = []
  const refused = new Map<Waiting<State, Item>, { error: unknown }>()
  for (const one of group) {
    try {
      const item = one.decide(state)
      if (item !== undefined) items.push(item)
    } catch (error) {
      refused.set(one, { error })
    }
  }
  return { items, refused }
}

function busy(base: string): ConflictError {
  return new ConflictError(`${base} is being changed by too many writers at once. Try again.`, { code: 'too-busy' })
}

function tooLarge(): InvalidInputError {
  return new InvalidInputError(
    `The request is larger than ${largestEntry} bytes once taken apart. Send it in several parts.`,
    { code: 'body-too-large' },
  )
}
