import type { DeflateLevel } from '../platform/deflate.ts'
import { isPage } from '../platform/pace.ts'
import type { AsideAnswer, AsideTask } from './aside-worker.ts'
import { Sha256 } from './sha256.ts'

/** A chunk that a worker has digested, and goes on with when asked to. */
export interface DigestedAside {
  readonly digest: string
  /** The asset's hash, behind the chunk. */
  readonly hasher: Sha256
  /** Nothing where it has to be done here. */
  deflate(level: DeflateLevel): Promise<Uint8Array | undefined>
}

/** A worker takes 34 ms to its first answer (Chromium 156), and a request: a page digests the first megabytes itself, in slices. */
const worthAWorker = 2 * 2 ** 20
/** To send one takes the page 29 us, as long as digesting 5 KiB; these are digested twice. */
const worthAMessage = 16 * 1024
/** One that has not begun by then will not: its script cannot be had, or may not be run. */
const startsWithinMs = 5000
/** Without work for so long, it is ended, with the memory that it holds; so is one that answers no more. */
const idleMs = 30_000

let digested = 0
let running: AsideWorker | undefined
/** Where one was refused, none is asked for again. */
let refused = false

/** False where everything is done here: other hashes are faster there. */
export function mayGoAside(): boolean {
  return !refused && isPage()
}

/**
 * Digests a chunk in a worker, on a page that has much to digest and may start one: half to two thirds of what uploading bytes costs the main thread (docs/decisions/0017-the-main-thread.md). The bytes are copied.
 * Nothing is given back where the caller has to do it: elsewhere than on a page, for little, and whenever the worker fails.
 */
export async function digestAside(bytes: Uint8Array, hasher: Sha256): Promise<DigestedAside | undefined> {
  digested += bytes.length
  if (digested < worthAWorker || bytes.length < worthAMessage || !mayGoAside()) return undefined
  running ??= AsideWorker.start(() => {
    running = undefined
  })
  const worker = running
  if (worker === undefined) {
    refused = true
    return undefined
  }
  const ticket = worker.ticket()
  const copy = bytes.slice()
  const answer = await worker.ask({ ticket, bytes: copy, state: hasher.state }, [copy.buffer])
  if (answer === undefined || !('state' in answer)) return undefined
  return {
    digest: answer.digest,
    hasher: Sha256.from(answer.state),
    async deflate(level) {
      const deflated = await worker.ask({ ticket, level }, [])
      return deflated && 'deflated' in deflated ? deflated.deflated : undefined
    },
  }
}

class AsideWorker {
  readonly #worker: Worker
  readonly #ended: () => void
  readonly #waiting: ((answer: AsideAnswer | undefined) => void)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #tickets = 0
  #hasBegun = false
  #isOver = false

  private constructor(worker: Worker, ended: () => void) {
    this.#worker = worker
    this.#ended = ended
    worker.addEventListener('message', ({ data }: MessageEvent<AsideAnswer>) => {
      this.#hasBegun = true
      this.#endsIn(idleMs)
      this.#waiting.shift()?.(data)
    })
    worker.addEventListener('messageerror', () => this.#fail())
    worker.addEventListener('error', (event) => {
      // Said to nobody: the work is done here instead.
      event.preventDefault()
      this.#fail()
    })
  }

  static start(ended: () => void): AsideWorker | undefined {
    if (typeof Worker !== 'function') return undefined
    try {
      // As bundlers look for it.
      return new AsideWorker(new Worker(new URL('./aside-worker.js', import.meta.url), { type: 'module' }), ended)
    } catch {
      // A policy forbids it, or there is no such address: `undefined` says so.
      return undefined
    }
  }

  ticket(): number {
    this.#tickets += 1
    return this.#tickets
  }

  /** `undefined` when it fails. */
  ask(task: AsideTask, transfer: Transferable[]): Promise<AsideAnswer | undefined> {
    if (this.#isOver) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#endsIn(this.#hasBegun ? idleMs : startsWithinMs)
      this.#worker.postMessage(task, transfer)
    })
  }

  #endsIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => (this.#waiting.length > 0 ? this.#fail() : this.#end()), ms)
  }

  #fail(): void {
    refused = true
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#worker.terminate()
    this.#ended()
    for (const answer of this.#waiting.splice(0)) answer(undefined)
  }
}
