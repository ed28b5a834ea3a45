import { Murmur3 } from './murmur3.ts'

/**
 * 128 bits of what was fed to it since `begin`, as text. To notice change inside one process, nothing else: among a billion states of a table the chance that any
 * two look the same is below 2^-69. Nobody gains by making two tables that collide on purpose, so it need not withstand that.
 */
export interface Hasher {
  begin(): void
  update(bytes: Uint8Array): void
  end(): string
}

/**
 * For what is large, xxHash128 in WebAssembly: 13 kB to load, and 5 ms to compile. Else, and where it may not be compiled (workerd, a strict content security policy), MurmurHash3 in
 * JavaScript: 8 MB take 3 ms instead of 1.3.
 */
export async function openHasher(large: boolean): Promise<Hasher> {
  return large ? wasmHasher().catch(() => scriptHasher()) : scriptHasher()
}

/** @throws whatever the runtime throws where WebAssembly may not be compiled. */
export async function wasmHasher(): Promise<Hasher> {
  const { createXXHash128 } = await import('./wasm-xxhash128.ts')
  const hash = await createXXHash128()
  return {
    begin: () => void hash.init(),
    update: (bytes) => void hash.update(bytes),
    end: () => hash.digest('hex'),
  }
}

export function scriptHasher(): Hasher {
  let hash = new Murmur3()
  return {
    begin: () => {
      hash = new Murmur3()
    },
    update: (bytes) => hash.update(bytes),
    end: () => hash.end(),
  }
}
