import { tagOf } from './tag-of.ts'

// A frame, a vm context, the sandbox of a test runner: each realm has classes of its own, and `instanceof` knows those of one.

/** A Date of any realm. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date || tagOf(value) === 'Date'
}

/** A Uint8Array of any realm, Node's Buffer among them. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === 'Uint8Array')
}

interface Builtins {
  readonly ArrayBuffer: ArrayBuffer
  readonly DataView: DataView
  readonly Date: Date
  readonly Map: ReadonlyMap<unknown, unknown>
  readonly Set: ReadonlySet<unknown>
}

/** Of exactly this class, in any realm: what a subclass adds would be lost. */
export function isExactly<Name extends keyof Builtins>(value: unknown, name: Name): value is Builtins[Name] {
  if (typeof value !== 'object' || value === null || tagOf(value) !== name) return false
  // Its class, then Object, then nothing.
  let ancestors = 0
  for (let one: unknown = value; one !== null && ancestors < 4; ancestors++) one = Object.getPrototypeOf(one)
  return ancestors === 3
}

/** A view of another realm as one of this realm over the same bytes, so that it is known by its class. */
export function inThisRealm<View extends ArrayBufferView>(view: View): View {
  const own: unknown = Reflect.get(globalThis, tagOf(view))
  if (typeof own !== 'function' || view instanceof own) return view
  const length = 'length' in view ? view.length : view.byteLength
  const made: unknown = Reflect.construct(own, [view.buffer, view.byteOffset, length])
  return isSameView(made, view) ? made : view
}

function isSameView<View extends ArrayBufferView>(made: unknown, view: View): made is View {
  return ArrayBuffer.isView(made) && made.byteLength === view.byteLength
}
