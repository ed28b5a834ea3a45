import type { AssetKind, Encoded, EncodeOptions } from '../../codecs/codec.ts'
import type { FileSource } from '../../codecs/file-source.ts'
import type { Entry, RemoteReference } from '../../content/entry.ts'
import { ConflictError, NotFoundError } from '../../errors.ts'
import { checkText, nearest } from '../../options.ts'
import { checkLogicalPath } from '../../paths.ts'
import type { Metadata } from '../../protocol/shapes.ts'

/** An asset that is to be logged. Compact: a folder of 100,000 files is held as that many of these. */
export type StagedAsset = StagedFile | StagedValue | StagedRemote | StagedKept

interface StagedCommon {
  readonly metadata?: Metadata
  readonly overwrite?: boolean
}

/** A file that is read when it is logged. */
export interface StagedFile extends StagedCommon {
  readonly file: FileSource
  /** As the user named it, for messages and `localPath`; never stored. */
  readonly localPath?: string
}

/** A value that is encoded when it is logged. */
export interface StagedValue extends StagedCommon {
  readonly kind: AssetKind
  /** It became a table by its first records: JSON, when a later one is not flat. */
  readonly assumed?: boolean
  /** What the codec encodes: a source that can be read once is opened here. */
  readonly value: () => unknown
  /** Of a file that can be read as often as it takes. */
  readonly again?: (signal: AbortSignal | undefined) => AsyncIterable<Uint8Array>
  readonly preview?: Metadata
  /** Instead of the codec's: for what was read already. */
  readonly encode?: (options: EncodeOptions) => Promise<Encoded>
  /** Recorded beside what the codec notes for the next version. */
  readonly info?: Metadata
}

/** A link. */
export interface StagedRemote extends StagedCommon {
  readonly reference: RemoteReference
}

/** An asset of the version this one is based on, as it is: nothing is read or sent. */
export interface StagedKept extends StagedCommon {
  readonly kept: Pick<Entry, 'size' | 'kind'> & { readonly link?: string }
}

/** What a pending artifact holds, by logical path. */
export class StagedAssets {
  #assets = new Map<string, StagedAsset>()

  entries(): IterableIterator<[string, StagedAsset]> {
    return this.#assets.entries()
  }

  /**
   * @throws ConflictError `asset-exists` when there is an asset at this path, unless this one is to overwrite it.
   * @throws InvalidInputError `invalid-path`
   */
  add(path: string, asset: StagedAsset): void {
    this.addAll([[path, asset]])
  }

  /** All of them or, when one cannot be added, none. */
  addAll(assets: readonly (readonly [string, StagedAsset])[]): void {
    const checked = new Map<string, StagedAsset>()
    for (const [given, asset] of assets) {
      const path = checkLogicalPath(given)
      if (!asset.overwrite && (this.#assets.has(path) || checked.has(path))) throw taken(path)
      checked.set(path, asset)
    }
    // A whole folder into an empty artifact, as most are: no second Map of 100,000.
    if (this.#assets.size === 0) this.#assets = checked
    else for (const [path, asset] of checked) this.#assets.set(path, asset)
  }

  /** Removes the asset at this path, or all below it when it is a folder; how many they were. */
  remove(path: string): number {
    checkText(path ?? null, 'path')
    const wanted = checkLogicalPath(path.endsWith('/') ? path.slice(0, -1) : path)
    if (this.#assets.delete(wanted)) return 1
    const below = [...this.#assets.keys()].filter((one) => one.startsWith(`${wanted}/`))
    for (const one of below) this.#assets.delete(one)
    if (below.length > 0) return below.length
    const near = nearest(wanted, this.#assets.keys(), 3)
    throw new NotFoundError(
      `There is no asset or folder '${wanted}' to remove.${near.length > 0 ? ` Did you mean ${near.join(', ')}?` : ''}`,
      {
        code: 'asset-not-found',
        fields: { path: wanted },
      },
    )
  }
}

function taken(path: string): ConflictError {
  return new ConflictError(
    `There is an asset at '${path}' already. Give another logicalPath, remove it first, or pass overwrite: true.`,
    {
      code: 'asset-exists',
      fields: { path },
    },
  )
}
