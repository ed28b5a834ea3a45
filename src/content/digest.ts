import { builtin } from '../platform/builtin.ts'

/** SHA-256 as lower-case hexadecimal: what `sha256sum` prints. */
export interface Digester {
  hex(bytes: Uint8Array): string
  create(): Hasher
}

export interface Hasher {
  update(bytes: Uint8Array): void
  /** Ends it: call once. */
  hex(): string
}

let opened: Promise<Digester> | undefined

/**
 * The fastest SHA-256 that this runtime allows: node:crypto, else WebAssembly, else JavaScript (where compiling WebAssembly is forbidden: workerd, a
 * strict content security policy). All give the same digests.
 */
export function openDigester(): Promise<Digester> {
  opened ??= Promise.resolve(nativeDigester() ?? wasmDigester().catch(() => scriptDigester()))
  return opened
}

function nativeDigester(): Digester | undefined {
  const crypto = builtin('node:crypto')
  if (!crypto) return undefined
  const create = () => {
    const hash = crypto.createHash('sha256')
    return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => hash.digest('hex') }
  }
  // The one-shot form saves a third on small inputs; Node has it since 20.12.
  const { hash } = crypto
  const hex = hash ? (bytes: Uint8Array) => hash('sha256', bytes, 'hex') : (bytes: Uint8Array) => once(create, bytes)
  return { hex, create }
}

/** @throws whatever the runtime throws where WebAssembly may not be compiled. */
export async function wasmDigester(): Promise<Digester> {
  const { createSHA256 } = await import('./wasm-sha256.ts')
  // One instance serves all one-shot digests; a stream needs its own, because its state lies in the instance's memory.
  const shared = await createSHA256()
  const saved = shared.init().save()
  return {
    hex: (bytes) => shared.init().update(bytes).digest('hex'),
    create: () => {
      let state = saved
      return {
        update: (bytes) => {
          state = shared.load(state).update(bytes).save()
        },
        hex: () => shared.load(state).digest('hex'),
      }
    },
  }
}

export async function scriptDigester(): Promise<Digester> {
  const { bytesToHex, sha256 } = await import('./script-sha256.ts')
  const create = () => {
    const hash = sha256.create()
    return { update: (bytes: Uint8Array) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) }
  }
  return { hex: (bytes) => bytesToHex(sha256(bytes)), create }
}

function once(create: () => Hasher, bytes: Uint8Array): string {
  const hasher = create()
  hasher.update(bytes)
  return hasher.hex()
}
