import { afterEach, expect, it, vi } from 'vitest'
import { jsonCodec } from '../../src/codecs/json.ts'
import { textCodec } from '../../src/codecs/text.ts'
import { readerOf } from './table-support.ts'

afterEach(() => vi.unstubAllGlobals())

// One byte more than V8's longest string.
const tooLong = () => readerOf(new Uint8Array(2 ** 29))

it.each([
  ['text', textCodec],
  ['dict', jsonCodec],
])('a %s that no string can hold is told as that, not as damage', async (_, codec) => {
  await expect(codec.decode(tooLong())).rejects.toMatchObject({ code: 'text-too-long' })
})

it('also where the decoder of the platform gives nothing then, and says nothing', async () => {
  vi.stubGlobal(
    'TextDecoder',
    class {
      decode() {
        return ''
      }
    },
  )
  await expect(textCodec.decode(readerOf(Uint8Array.of(97)))).rejects.toMatchObject({ code: 'text-too-long' })
  expect(await textCodec.decode(readerOf(new Uint8Array(0)))).toBe('')
})
