import { openDigester } from './digest.ts'
import { toHex } from './pack.ts'

// Below it the way to another thread takes longer than the digest (Node 20: 55 us for 64 KiB either way).
const worthAside = 64 * 1024

/**
 * SHA-256, as lower-case hexadecimal, of bytes that are held as a whole. Much is digested by the platform, on a thread of its own where it has one; pages without
 * TLS have no such platform. The bytes must stay as they are meanwhile.
 */
export async function wholeDigest(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle
  if (bytes.length < worthAside || !isUnshared(bytes) || !subtle) return (await openDigester()).hex(bytes)
  return toHex(new Uint8Array(await subtle.digest('SHA-256', bytes)))
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return typeof SharedArrayBuffer === 'undefined' || !(bytes.buffer instanceof SharedArrayBuffer)
}
