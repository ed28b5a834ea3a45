import { parseRecordPackName } from '../../protocol/chunk-ref.ts'
import type { Versions } from '../artifacts/versions.ts'
import type { Packs } from './packs.ts'

/** True when what begins at each of these offsets is stored, be the pack an object of its own or the small one inside a version record. */
export async function isHeld(
  { packs, versions }: { readonly packs: Packs; readonly versions: Versions },
  pack: string,
  offsets: ReadonlySet<number>,
): Promise<boolean> {
  const place = parseRecordPackName(pack)
  if (!place) return packs.holds(pack, offsets)
  const held = await versions.read(place, place.index)
  return held !== undefined && held.attachment.length > 0
}
