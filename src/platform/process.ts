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

/** True where `node:fs` reaches files: Node, Deno, Bun. */
export function hasFiles(): boolean {
  return typeof runtimeProcess()?.versions?.node === 'string'
}
