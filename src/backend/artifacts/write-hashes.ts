// A repetition that comes later than this many other commits, and without its base, would not be recognised. Six digits: 64 of them deflate to 200 bytes.
const remembered = 64
const digits = 6

/** The head's memory of write-ids, one short hash for each of the newest versions, with that of the version `writeId` made added. */
export function rememberWrite(recent: string, writeId: string): string {
  return (recent + hash(writeId)).slice(-remembered * digits)
}

/** Indexes below `next` whose version may have been made by this write; their records tell. */
export function possibleWrites(recent: string, next: number, writeId: string): number[] {
  const wanted = hash(writeId)
  const first = oldestRemembered(recent, next)
  const found: number[] = []
  for (let at = 0; at < recent.length; at += digits) if (recent.startsWith(wanted, at)) found.push(first + at / digits)
  return found.reverse()
}

/** The lowest index that the memory covers. */
export function oldestRemembered(recent: string, next: number): number {
  return next - recent.length / digits
}

// FNV-1a: only has to spread.
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 8).toString(16).padStart(digits, '0')
}
