import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32, portableCrc32 } from '../../src/platform/crc32.ts'

test('the check value of the CRC catalogue', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  expect(portableCrc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  expect(crc32(new Uint8Array(0))).toBe(0)
})

test('both ways agree on any bytes, whole or in parts, at any offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(20), (bytes, cut, offset) => {
      const view = bytes.subarray(Math.min(offset, bytes.length))
      const whole = crc32(view)
      expect(portableCrc32(view)).toBe(whole)
      expect(crc32(view.subarray(cut), crc32(view.subarray(0, cut)))).toBe(whole)
      expect(portableCrc32(view.subarray(cut), portableCrc32(view.subarray(0, cut)))).toBe(whole)
    }),
  )
})
