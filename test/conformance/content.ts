import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digester, openDigester, scriptDigester, wasmDigester } from '../../src/content/digest.ts'
import { crc32 } from '../../src/platform/crc32.ts'
import { deflateRaw, inflateRaw } from '../../src/platform/deflate.ts'
import { inflatedHere } from '../../src/platform/deflate-fflate.ts'
import { inflateStream } from '../../src/platform/inflate-stream.ts'
import { sameBytes } from '../bytes.ts'
import { concat, expectSame, noise, PacksInMemory, readAll } from '../content/packs-in-memory.ts'

const text = (value: string) => new TextEncoder().encode(value)

async function* alone(bytes: Uint8Array) {
  yield bytes
}

/** SHA-256 of FIPS 180-4's examples, and of a million times `a`. */
const known: readonly [string, Uint8Array, string][] = [
  ['nothing', text(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', text('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'a million a',
    new Uint8Array(1_000_000).fill(97),
    'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  ],
]

/** The stored form where this runs: what is asked of the runtime has the same answer everywhere, and what is written comes back. */
export function contentConformance(): void {
  describe('content', () => {
    it.each(known)('SHA-256 of %s, by each way this runtime allows', async (_name, bytes, expected) => {
      for (const digester of await digesters()) {
        const hasher = digester.create()
        for (let at = 0; at < bytes.length; at += 70_001) hasher.update(bytes.subarray(at, at + 70_001))
        expect([digester.hex(bytes), hasher.hex()]).toEqual([expected, expected])
      }
    })

    it('all ways digest any pieces alike', async () => {
      const ways = await digesters()
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
          const whole = new Uint8Array(pieces.flatMap((piece) => [...piece]))
          const found = ways.map((digester) => {
            const hasher = digester.create()
            for (const piece of pieces) hasher.update(piece)
            return [digester.hex(whole), hasher.hex()]
          })
          expect(new Set(found.flat()).size).toBe(1)
        }),
      )
    })

    it('the CRC of the catalogue', () => {
      expect(crc32(text('123456789'))).toBe(0xcbf43926)
    })

    it('deflates and inflates, and tells what is no whole stream', async () => {
      for (const bytes of [text(''), text('a'), noise(70_000), text('again and '.repeat(20_000))]) {
        const deflated = await deflateRaw(bytes)
        expect(sameBytes(await inflateRaw(deflated, bytes.length), bytes)).toBe(true)
        expect(sameBytes(await concat(inflateStream([deflated], bytes.length)), bytes)).toBe(true)
        expect(sameBytes(await concat(inflatedHere(alone(deflated))), bytes)).toBe(true)
        const damaged = { code: 'deflate-damaged' }
        await expect(inflateRaw(deflated, bytes.length + 1)).rejects.toMatchObject(damaged)
        await expect(inflateRaw(deflated.subarray(0, -1), bytes.length)).rejects.toMatchObject(damaged)
        if (bytes.length > 0) await expect(inflateRaw(deflated, bytes.length - 1)).rejects.toMatchObject(damaged)
      }
      await expect(inflateRaw(new Uint8Array(100).fill(0xff), 100)).rejects.toMatchObject({ code: 'deflate-damaged' })
    })

    it("gives the error of a stream's source", async () => {
      const failing = (async function* () {
        yield await deflateRaw(noise(1_000))
        throw new Error('store gone')
      })()
      await expect(concat(inflateStream(failing, 1_000))).rejects.toThrow('store gone')
    })

    it('inflates what zlib and what fflate deflated', async () => {
      const expected = text('tidemark '.repeat(40))
      for (const hex of ['2bc94c49cd4d2cca56281965d0920100', '2bc94c49cd4d2cca561865d0940100']) {
        const deflated = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
        expect(sameBytes(await inflateRaw(deflated, 360), expected)).toBe(true)
      }
    })

    it('gives back files of every size, after edits too, deflated or not', async () => {
      for (const deflate of [false, true]) {
        const packs = new PacksInMemory()
        const files = { empty: text(''), 'a/b': text('hello'), 'ü/\u{1f600}': noise(5_000), large: noise(700_000, 7) }
        const { version: base, written: first } = await packs.log(files, { deflate })
        const edited = { ...files, large: files.large.with(350_000, 1), more: noise(70_000, 9) }
        const { version, written } = await packs.log(edited, { base, deflate })
        expectSame(await readAll(base), files)
        expectSame(await readAll(version), edited)
        expect(written.bytesStored).toBeLessThan(first.bytesStored / 2)
        const again = await packs.log(edited, { base: version, deflate })
        expect(again.written).toMatchObject({ bytesStored: 0, digest: written.digest })
      }
    })

    it('finds a flipped bit wherever it is, and never gives it out', async () => {
      const packs = new PacksInMemory()
      const files = { a: noise(3_000), b: text('again '.repeat(200)) }
      const { version } = await packs.log(files, { deflate: true })
      for (const [name, whole] of packs.packs) {
        for (let turn = 0; turn < 60; turn++) {
          packs.packs.set(
            name,
            whole.with((turn * 7919) % whole.length, whole[(turn * 7919) % whole.length] ^ (1 << (turn % 8))),
          )
          const [result] = await Promise.allSettled([readAll(version)])
          if (result.status === 'fulfilled') expectSame(result.value, files)
          else expect(result.reason).toMatchObject({ category: 'CorruptionError' })
        }
        packs.packs.set(name, whole)
      }
    })
  })
}

async function digesters(): Promise<Digester[]> {
  return [await openDigester(), await scriptDigester(), ...((await mayCompile()) ? [await wasmDigester()] : [])]
}

/** Whether WebAssembly may be compiled here; the smallest module there is tells. */
async function mayCompile(): Promise<boolean> {
  try {
    await WebAssembly.instantiate(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    return true
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}
