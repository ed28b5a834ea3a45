import { UnavailableError } from '../../src/errors.ts'
import type { Store } from '../../src/stores/store.ts'

/** Where an operation fails: before it has any effect, or after it, so that only the answer is lost. */
export type FaultPoint = 'before' | 'after'

export interface FaultyStore extends Store {
  /** Operations asked for so far. */
  readonly operations: number
  /** The n-th operation from now fails, the first being 1; with `forever` all that follow it too: a crash. */
  failAt(n: number, point: FaultPoint, forever?: boolean): void
  heal(): void
}

/** A store that misbehaves on purpose. */
export function faultyStore(store: Store): FaultyStore {
  let operations = 0
  let fault: { at: number; point: FaultPoint; forever: boolean } | undefined

  async function run<T>(operation: () => Promise<T>): Promise<T> {
    const number = ++operations
    if (!fault || number < fault.at || (number > fault.at && !fault.forever)) return operation()
    if (fault.point === 'after' && number === fault.at) await operation()
    throw new UnavailableError(`Operation ${number} failed on purpose.`, { code: 'injected-fault' })
  }

  return {
    uri: store.uri,
    get operations() {
      return operations
    },
    failAt(n, point, forever = false) {
      operations = 0
      fault = { at: n, point, forever }
    },
    heal() {
      fault = undefined
    },
    get: (key, options) => run(() => store.get(key, options)),
    put: (key, bytes, options) => run(() => store.put(key, bytes, options)),
    delete: (key, options) => run(() => store.delete(key, options)),
    list: (prefix, options) => run(() => store.list(prefix, options)),
  }
}

/** A copy of all that a store holds, in a new one. */
export async function copyStore(from: Store, to: Store): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await from.list('', { values: true, ...(after !== undefined && { after }) })
    for (const { key, bytes } of page.entries) if (bytes) await to.put(key, bytes)
    if (page.next === undefined) return
    after = page.next
  }
}
