import { createHash } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { wholeDigest } from '../../src/content/whole-digest.ts'

const sizes = [0, 1, 64 * 1024 - 1, 64 * 1024, 300_001]
const bytesOf = (size: number) => Uint8Array.from({ length: size + 3 }, (_, i) => i * i).subarray(3)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

afterEach(() => vi.unstubAllGlobals())

test.each(sizes)('%i bytes, at an odd offset: what sha256sum prints', async (size) => {
  expect(await wholeDigest(bytesOf(size))).toBe(sha256(bytesOf(size)))
})

test('the same where the platform digests nothing', async () => {
  vi.stubGlobal('crypto', {})
  for (const size of sizes) expect(await wholeDigest(bytesOf(size))).toBe(sha256(bytesOf(size)))
})

test('of memory that threads share', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000)).fill(7)
  expect(await wholeDigest(shared)).toBe(sha256(shared))
})
