import { NATIVE_ORDER } from './npy-dtype.ts'
import { damagedNpy, type NpyHeader } from './npy-header.ts'

/**
 * Strings as numpy holds them: UTF-32, or bytes, padded with zeros.
 *
 * @throws CorruptionError `npy-damaged`
 */
export function decodeStrings(header: NpyHeader, body: Uint8Array, name: string): string[] {
  const { count, itemSize } = header
  const strings: string[] = []
  if (header.text === 'bytes') {
    const latin1 = new TextDecoder('latin1')
    for (let i = 0; i < count; i++)
      strings.push(trimEnd(latin1.decode(body.subarray(i * itemSize, (i + 1) * itemSize))))
    return strings
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const littleEndian = (NATIVE_ORDER === '<') !== header.swapped
  for (let i = 0; i < count; i++) {
    let text = ''
    for (let at = i * itemSize; at < (i + 1) * itemSize; at += 4) {
      const code = view.getUint32(at, littleEndian)
      if (code > 0x10ffff) throw damagedNpy(name, `it has no character ${code}`)
      text += String.fromCodePoint(code)
    }
    strings.push(trimEnd(text))
  }
  return strings
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end)
}
