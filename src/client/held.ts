import { isDroppedItems, takeDropped } from '../codecs/dropped.ts'

/** The value itself; of what was dropped on a page what it holds now, because its list is emptied at the first await. */
export function held(value: unknown): unknown {
  try {
    return isDroppedItems(value) ? takeDropped(value) : value
  } catch {
    // It cannot even be looked at, as a revoked proxy: what is wrong with it is said where it is read.
    return value
  }
}
