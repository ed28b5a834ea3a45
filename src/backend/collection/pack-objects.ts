import { readPackIndex } from '../../content/pack.ts'
import { isPackId } from '../../protocol/chunk-ref.ts'
import type { Store } from '../../stores/store.ts'
import { packKey, packsPrefix, tooShort } from './packs.ts'

/** One object under `packs/`. */
export interface PackObject {
  readonly pack: string
  /** What follows the name in the key; empty for the pack's own key. */
  readonly to: string
  readonly size: number
  readonly modified: number
  /** The pack is needed, but all of it is stored under another key too. */
  readonly isCopy?: boolean
}

/** All of them, in key order. Other keys are not ours and are passed over. */
export async function* listPackObjects(blobs: Store): AsyncGenerator<PackObject> {
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await blobs.list(packsPrefix, after === undefined ? {} : { after })
    for (const { key, size, modified } of page.entries) {
      const [pack, to = ''] = key.slice(packsPrefix.length + 3).split('~')
      if (isPackId(pack) && packKey(pack, to) === key) yield { pack, to, size, modified }
    }
    after = page.next
  }
}

/** Where the chunks lie in a whole pack: reads its index alone. */
export async function readLayout(
  blobs: Store,
  { pack, to, size }: PackObject,
): Promise<{ offset: number; length: number }[]> {
  const key = packKey(pack, to)
  const head = await blobs.get(key, { range: { start: 0, end: headLength } })
  const tail = await blobs.get(key, { range: { start: Math.max(0, size - tailLength) } })
  if (!head || tail?.bytes.length !== Math.min(size, tailLength)) throw tooShort(pack)
  const length = new DataView(tail.bytes.buffer, tail.bytes.byteOffset).getUint32(0, true) + tailLength
  if (length > size) throw tooShort(pack)
  const index = await blobs.get(key, { range: { start: size - length } })
  if (!index) throw tooShort(pack)
  // Zeros where the chunks are: only the structure is read.
  const outline = new Uint8Array(size)
  outline.set(head.bytes)
  outline.set(index.bytes, size - index.bytes.length)
  return readPackIndex(outline)
}

// The pack's magic, and the length of the index with the magic after it: see content/pack.ts.
const headLength = 8
const tailLength = 8
