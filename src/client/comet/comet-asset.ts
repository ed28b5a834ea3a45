import type { Encoded } from '../../codecs/codec.ts'
import { openDigester } from '../../content/digest.ts'
import type { VersionReading } from '../../content/version-reading.ts'
import { referenceDigest } from '../../content/version-writer.ts'
import { NotFoundError } from '../../errors.ts'
import { checkLogicalPath } from '../../paths.ts'
import type { Metadata } from '../../protocol/shapes.ts'
import { type EncodedFile, encodedFile } from '../upload/encoded-file.ts'
import type { StagedAsset, StagedFile, StagedValue } from '../upload/staged.ts'
import { againOf } from '../upload/upload-asset.ts'
import { type AssetPath, encode } from '../upload.ts'
import { withFacts } from './comet-wire.ts'

/** An asset as it is sent to a server that takes assets whole. */
export interface WholeAsset {
  readonly path: string
  /** SHA-256 of its bytes; of a link, of what it says. */
  readonly digest: string
  readonly own: Metadata | undefined
  /** JSON: its own metadata, and what is known of its bytes. */
  readonly metadata: string
  readonly content: { readonly file: EncodedFile } | { readonly link: string }
}

export interface AssetContext {
  /** Of the version whose assets are kept. */
  readonly reader?: VersionReading
  readonly signal?: AbortSignal
}

/** Reads and encodes an asset. */
export async function wholeAsset(
  [where, asset]: readonly [AssetPath, StagedAsset],
  context: AssetContext,
): Promise<WholeAsset> {
  if ('kept' in asset) return keptAsset(String(where), asset.metadata, context)
  if ('reference' in asset) {
    const { reference, metadata } = asset
    const digest = referenceDigest(reference, await openDigester())
    const { uri, etag, versionId, size } = reference
    const facts = {
      digest,
      ...(etag !== undefined && { etag }),
      ...(versionId !== undefined && { versionId }),
      ...(size !== undefined && { size }),
    }
    const path = checkLogicalPath(String(where))
    return { path, digest, own: metadata, metadata: withFacts(metadata, facts), content: { link: uri } }
  }
  const encoded = await encode(asset, 'file' in asset ? 'file' : asset.kind, { signal: context.signal })
  const path = typeof where === 'string' ? checkLogicalPath(where) : where(encoded)
  const { signal } = context
  const file = await encodedFile(encoded, { again: againOf(asset, signal), signal })
  return described(path, asset, encoded, file)
}

function described(path: string, asset: StagedFile | StagedValue, encoded: Encoded, file: EncodedFile): WholeAsset {
  const { kind, mediaType } = encoded
  const { digest } = file
  const preview = ('preview' in asset ? asset.preview : undefined) ?? encoded.preview()
  const facts = { kind, mediaType, digest, ...(preview && fits(preview) && { preview }) }
  return { path, digest, own: asset.metadata, metadata: withFacts(asset.metadata, facts), content: { file } }
}

// Metadata is for lists: a thumbnail or the first rows of a wide table would make them slow.
const largestPreview = 4096

function fits(preview: Metadata): boolean {
  return JSON.stringify(preview).length <= largestPreview
}

/** Comet has no word for "as in the version before": what is kept is read and sent again. */
async function keptAsset(path: string, metadata: Metadata | undefined, context: AssetContext): Promise<WholeAsset> {
  const { reader, signal } = context
  const entry = await reader?.entry(path, signal)
  if (!reader || !entry)
    throw new NotFoundError(`'${path}' is not in the version that the draft was made of.`, {
      code: 'asset-not-found',
      fields: { path },
    })
  const { kind, mediaType, digest: known, remote, preview } = entry
  if (remote) return wholeAsset([path, { reference: remote, ...(metadata && { metadata }) }], context)
  const again = () => reader.read(entry, { signal })
  const file = await encodedFile(
    { kind: 'file', extension: '', mediaType, cuts: 'content', body: again(), preview: () => undefined },
    { again, signal },
  )
  const { digest } = file
  const facts = { kind, mediaType, digest: known || digest, ...(preview && { preview }) }
  return { path, digest, own: metadata, metadata: withFacts(metadata, facts), content: { file } }
}
