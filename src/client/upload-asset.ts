import { InvalidInputError } from '../errors.ts'
import { describe } from '../options.ts'
import { type AssetDescription, uploadPath } from './asset-description.ts'
import type { Connection } from './connection.ts'
import { encodedFile } from './encoded-file.ts'
import { randomId } from './random-id.ts'
import { stageOne } from './stage.ts'
import { encode } from './upload.ts'

interface AssetUpload {
  readonly name?: string
  readonly signal?: AbortSignal
}

/** Sends one asset of an experiment. Its id is made here, so that a lost answer can be asked for again without making two. */
export async function uploadAsset(
  { api, codecs }: Connection,
  experimentKey: string,
  source: unknown,
  describeAs: (name: string) => AssetDescription,
  { name, signal }: AssetUpload,
): Promise<{ readonly assetId: string }> {
  const staged = await stageOne(source, { signal })
  const encoded = await encode(staged, staged.kind, codecs, { signal })
  const fileName = name ?? encoded.name
  if (fileName === undefined || fileName === '')
    throw new InvalidInputError(
      `${describe(source)} has no name of its own: say what it is called, as in uploadAsset(value, { name: 'settings.json' }).`,
      { code: 'asset-name-missing' },
    )
  const { search, metadata } = describeAs(fileName)
  const { blob } = await encodedFile(encoded, signal)
  const assetId = randomId()
  const answer = await api.form<{ assetId?: unknown }>(uploadPath, {
    search: { experimentKey, ...search, assetId },
    form: () => assetForm(blob, fileName, metadata),
    signal,
  })
  // Comet may give it another.
  return { assetId: typeof answer?.assetId === 'string' ? answer.assetId : assetId }
}

/** The parts of an asset in the order in which every server can take them in one go: what is known of it before its bytes. */
export function assetForm(blob: Blob, fileName: string, metadata: string | undefined): FormData {
  const form = new FormData()
  if (metadata !== undefined) form.append('metadata', metadata)
  form.append('file', blob, fileName.slice(fileName.lastIndexOf('/') + 1))
  return form
}
