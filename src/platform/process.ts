/** What portable code asks of Node's `process` where there is one; written out here so that it compiles without Node types. */
interface RuntimeProcess {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly versions?: { readonly node?: string }
  once?(event: 'beforeExit', listener: () => void): unknown
}

/** Node's `process` (Deno and Bun have one too), or `undefined`. */
export function runtimeProcess(): RuntimeProcess | undefined {
  return Reflect.get(globalThis, 'process')
}

/** True for Deno's refusal of something that was not permitted when the program was started. An operating system's refusal is none of these. */
export function isNotPermitted(error: unknown): error is Error {
  return error instanceof Error && error.name === 'NotCapable'
}

/**
 * False where a person would have to be asked first: Deno does, in the middle of the program. Other runtimes ask nobody, and say no when it comes to it.
 */
export function isPermitted(permission: { readonly name: string; readonly [detail: string]: string }): boolean {
  const deno: unknown = Reflect.get(globalThis, 'Deno')
  if (typeof deno !== 'object' || deno === null) return true
  const permissions: unknown = Reflect.get(deno, 'permissions')
  if (typeof permissions !== 'object' || permissions === null) return true
  const query: unknown = Reflect.get(permissions, 'querySync')
  if (typeof query !== 'function') return true
  const status: unknown = Reflect.apply(query, permissions, [permission])
  return typeof status === 'object' && status !== null && Reflect.get(status, 'state') === 'granted'
}
