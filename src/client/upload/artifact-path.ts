import type { Encoded } from '../../codecs/codec.ts'
import { isTidemarkError } from '../../errors.ts'
import { checkLogicalPath } from '../../paths.ts'
import type { AssetPath } from '../upload.ts'

/** Where the one asset of an artifact lies: under the value's own name, else that of the artifact with the extension of its kind. */
export function artifactPath(name: string): AssetPath {
  return ({ name: own, extension }: Encoded) => checkLogicalPath(own || fileNameFor(name, extension))
}

/** A name may be anything but `/` and `:`; the name of a file may not. */
function fileNameFor(name: string, extension: string): string {
  const wanted = `${name}${extension}`
  try {
    return checkLogicalPath(wanted)
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    return `value${extension}`
  }
}
