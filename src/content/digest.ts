import { builtin, type NodeHash } from '../platform/builtin.ts'

/** SHA-256 as lower-case hexadecimal: what `sha256sum` prints. */
export interface Digester {
  hex(bytes: Uint8Array): string
  create(): Hasher
}

export interface Hasher {
  update(bytes: Uint8Array): void
  /** Another one, that goes on from here by itself. */
  copy(): Hasher
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
  const hasher = (hash: NodeHash): Hasher => ({
    update: (bytes) => void hash.update(bytes),
    copy: () => hasher(hash.copy()),
    hex: () => hash.digest('hex'),
  })
  const create = () => hasher(crypto.createHash('sha256'))
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
  const from = (begun: Uint8Array): Hasher => {
    let state = begun
    return {
      update: (bytes) => {
        state = shared.load(state).update(bytes).save()
      },
      copy: () => from(state),
      hex: () => shared.load(state).digest('hex'),
    }
  }
  return {
    hex: (bytes) => shared.init().update(bytes).digest('hex'),
    create: () => from(saved),
  }
}

export async function scriptDigester(): Promise<Digester> {
  const { bytesToHex, sha256 } = await import('./script-sha256.ts')
  const from = (hash: ReturnType<typeof sha256.create>): Hasher => ({
    update: (bytes) => void hash.update(bytes),
    copy: () => from(hash.clone()),
    hex: () => bytesToHex(hash.digest()),
  })
  return { hex: (bytes) => bytesToHex(sha256(bytes)), create: () => from(sha256.create()) }
}

function once(create: () => Hasher, bytes: Uint8Array): string {
  const hasher = create()
  hasher.update(bytes)
  return hasher.hex()
}
