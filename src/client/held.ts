import { isDroppedItems, takeDropped } from '../codecs/dropped.ts'
import { pictureOf } from '../codecs/png/picture.ts'

/** The value itself; of what was dropped on a page what it holds now, because its list is emptied at the first await; of a canvas or bitmap its picture now. */
export function held(value: unknown): unknown {
  try {
    return isDroppedItems(value) ? takeDropped(value) : pictureOf(value)
  } catch {
    // It cannot even be looked at, as a revoked proxy: what is wrong with it is said where it is read.
    return value
  }
}
