/**
 * Keys as paths that every file system keeps apart, and back. A segment becomes one folder or file name, made of characters that are legal and mean nothing
 * special on Linux, macOS and Windows, and that no file system folds or normalises:
 *
 * - `a-z 0-9 . _ + = , @ ( ) -` stand for themselves;
 * - `^t` is `T`: Windows and macOS take `Train` and `train` for one name;
 * - `{...}` is a run of non-ASCII characters, as the base32 of its UTF-8: macOS takes the composed and decomposed `é` for one name;
 * - `%2a` is any other ASCII character, a dot at the end of a name (Windows drops it), and the first letter of a device name (`con`, `nul.txt`).
 *
 * `#` is in no segment, so it marks the kind of a name: `head#v` holds a value, `head#h` its history (see fs-value.ts), `piece#c` is a folder with the
 * continuations of a name that is too long for one. A folder without a mark holds the keys below a segment: `a` and `a/b` do not meet.
 */
export interface KeyPath {
  /** Folders from the top of the store. */
  readonly folders: readonly string[]
  /** Name without mark. */
  readonly name: string
}

// eCryptfs allows 143 bytes in a name, the least of the file systems in use; the marks need two
// and a guarded first and last letter two each.
const longestName = 136

/** Where a key is kept. */
export function pathOfKey(key: string): KeyPath {
  const folders: string[] = []
  const segments = key.split('/')
  const last = segments.pop() ?? ''
  for (const segment of segments) folders.push(...piecesOf(segment))
  const pieces = piecesOf(last)
  const name = pieces.pop() ?? ''
  return { folders: [...folders, ...pieces], name }
}

/** The folders that lead to the keys below these segments. */
export function foldersOf(segments: readonly string[]): string[] {
  return segments.flatMap(piecesOf)
}

function piecesOf(segment: string): string[] {
  let rest = encodeSegment(segment)
  const pieces: string[] = []
  while (rest.length > longestName) {
    // Never in the middle of an escape: the guard of the next piece would change it.
    const piece = rest.slice(0, longestName).replace(/(%[0-9a-f]?|\^)$/, '')
    rest = rest.slice(piece.length)
    pieces.push(`${guarded(piece)}#c`)
  }
  return [...pieces, pieces.length === 0 ? rest : guarded(rest)]
}

const plain = /^[a-z0-9_-]+$/
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function encodeSegment(segment: string): string {
  if (plain.test(segment) && !device.test(segment)) return segment
  return guarded(
    segment.replace(/[^\u0020-\u007e]+|[A-Z]|[^a-z0-9._+=,@()-]/g, (found) => {
      if (found > '\u007f') return `{${base32(encoder.encode(found))}}`
      return /[A-Z]/.test(found) ? `^${found.toLowerCase()}` : percent(found)
    }),
  )
}

// Windows opens a device for these names, whatever follows the first dot.
const device = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)/

function guarded(name: string): string {
  return name.replace(device, (found) => percent(found.charAt(0)) + found.slice(1)).replace(/\.$/, percent)
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** The segment a name stands for, or `undefined` when it is not a name that we write. */
export function decodeSegment(name: string): string | undefined {
  if (plain.test(name)) return device.test(name) ? undefined : name
  if (!/^(?:[a-z0-9._+=,@()-]|\^[a-z]|%[0-7][0-9a-f]|\{[a-z2-7]+\})+$/.test(name)) return undefined
  try {
    const segment = name.replace(/\^[a-z]|%..|\{[^}]+\}/g, (found) => {
      if (found.startsWith('^')) return found.slice(1).toUpperCase()
      if (found.startsWith('%')) return String.fromCharCode(Number.parseInt(found.slice(1), 16))
      return decoder.decode(unbase32(found.slice(1, -1)))
    })
    return segment
  } catch (error) {
    // Not UTF-8: somebody else's file.
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** True when `name` is exactly how `segment` is written, so that a copy under another spelling never passes for the key. */
export function isNameOf(name: string, segment: string): boolean {
  return piecesOf(segment).map(unmarked).join('') === name
}

function unmarked(piece: string): string {
  return piece.endsWith('#c') ? piece.slice(0, -2) : piece
}

// RFC 4648, in lower case and without padding.
const digits = 'abcdefghijklmnopqrstuvwxyz234567'

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += digits.charAt((held >>> (bits - 5)) & 31)
  }
  return bits > 0 ? text + digits.charAt((held << (5 - bits)) & 31) : text
}

function unbase32(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length * 5) >>> 3)
  let at = 0
  let bits = 0
  let held = 0
  for (const digit of text) {
    held = ((held << 5) | digits.indexOf(digit)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >>> bits) & 0xff
  }
  return bytes
}
