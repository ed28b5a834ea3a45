import type { Metadata } from '../../protocol/shapes.ts'
import { openValue } from './open-value.ts'
import { isPreparable } from './read-ahead.ts'
import type { StagedValue } from './staged.ts'

/** Any value as one asset: a folder or pattern becomes one zip. */
export async function stageOne(
  given: unknown,
  { signal, preview }: { signal?: AbortSignal; preview?: Metadata },
): Promise<StagedValue> {
  const opened = await openValue(given, { signal })
  // The files of a folder can be walked once; should it have to be sent again, it is opened again.
  let next: typeof opened | undefined = opened
  const value = async () => {
    const now = next ?? (await openValue(given, { signal }))
    next = undefined
    return now.value
  }
  const { kind, assumed, file } = opened
  return {
    kind,
    assumed,
    value,
    ...(file && isPreparable(file) && { again: (until) => file.open(until) }),
    ...(preview && { preview }),
  }
}
