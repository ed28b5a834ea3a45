/**
 * The slices of Node's built-in modules that portable code uses when they are there. Written out here so that the portable core compiles
 * without Node types, and reached without an import, so that no bundler sees one: Node >= 20.16, Deno, Bun and workerd's compatibility mode
 * have `process.getBuiltinModule`. Where it is missing, callers fall back to portable code: slower, same results.
 */
interface Builtins {
  'node:crypto': {
    createHash(algorithm: 'sha256'): NodeHash
    hash?(algorithm: 'sha256', bytes: Uint8Array, encoding: 'hex'): string
  }
  'node:zlib': {
    deflateRawSync(bytes: Uint8Array, options: { level: number }): Uint8Array
    inflateRawSync(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize?: number }): Uint8Array
    crc32?(bytes: Uint8Array, value?: number): number
    createDeflate(options: { level: number; strategy?: number; chunkSize?: number }): NodeTransform
    createInflate(options?: { chunkSize?: number }): NodeTransform
    createDeflateRaw(options: { level: number; strategy?: number; chunkSize?: number }): NodeTransform
    createInflateRaw(options?: { chunkSize?: number }): NodeTransform
    deflate(
      bytes: Uint8Array,
      options: { level: number; strategy?: number; chunkSize?: number },
      done: (error: Error | null, result: Uint8Array) => void,
    ): void
    inflate(
      bytes: Uint8Array,
      options: { maxOutputLength: number; chunkSize?: number },
      done: (error: Error | null, result: Uint8Array) => void,
    ): void
  }
}

/** A Node transform stream, as far as we use it. */
export interface NodeTransform extends AsyncIterable<Uint8Array> {
  write(bytes: Uint8Array): boolean
  end(): void
  on(event: 'drain' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(error?: Error): void
  readonly destroyed: boolean
}

interface HasBuiltins {
  getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined
}

/** A Node built-in module, or `undefined` where this runtime has none. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const process: HasBuiltins | undefined = Reflect.get(globalThis, 'process')
  return process?.getBuiltinModule?.(name)
}

export interface NodeHash {
  update(bytes: Uint8Array): unknown
  copy(): NodeHash
  digest(encoding: 'hex'): string
}
