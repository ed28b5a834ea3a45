import { builtin, type NodeHash } from '../platform/builtin.ts'
import { Sha256 } from './sha256.ts'

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
 * The fastest SHA-256 that this runtime allows: node:crypto, else JavaScript, and WebAssembly once there is so much to digest that it is worth loading (where it may
 * be compiled: not in workerd, not under a strict content security policy). All give the same digests.
 */
export function openDigester(): Promise<Digester> {
  opened ??= Promise.resolve(nativeDigester() ?? growingDigester())
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

export function scriptDigester(): Digester {
  const create = () => new Sha256()
  return { hex: (bytes) => once(create, bytes), create }
}

/** WebAssembly weighs 13 kB and digests 290 MB/s instead of 185: the first megabytes are over before it has come. */
const worthLoading = 4 * 2 ** 20

/** Begins in JavaScript; after some megabytes, what is begun anew is done by `faster`, if that can be had. */
export function growingDigester(faster: () => Promise<Digester> = wasmDigester): Digester {
  let current = scriptDigester()
  let left = worthLoading
  const count = ({ length }: Uint8Array) => {
    if (left <= 0) return
    left -= length
    if (left > 0) return
    const replace = (digester: Digester) => {
      current = digester
    }
    // Where WebAssembly may not be compiled it stays as it is.
    faster().then(replace, () => undefined)
  }
  const counted = (hasher: Hasher): Hasher => ({
    update: (bytes) => {
      count(bytes)
      hasher.update(bytes)
    },
    copy: () => counted(hasher.copy()),
    hex: () => hasher.hex(),
  })
  return {
    hex: (bytes) => {
      count(bytes)
      return current.hex(bytes)
    },
    create: () => counted(current.create()),
  }
}

function once(create: () => Hasher, bytes: Uint8Array): string {
  const hasher = create()
  hasher.update(bytes)
  return hasher.hex()
}
