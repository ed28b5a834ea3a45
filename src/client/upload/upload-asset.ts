import { InvalidInputError } from '../../errors.ts'
import { describe } from '../../options.ts'
import { sendForm } from '../api/send-form.ts'
import { type StreamedForm, streamedForm } from '../api/streamed-form.ts'
import { type AssetDescription, uploadPath } from '../asset-description.ts'
import type { Connection } from '../connection.ts'
import { randomId } from '../random-id.ts'
import { encode } from '../upload.ts'
import { type EncodedFile, type EncodedFileOptions, encodedFile } from './encoded-file.ts'
import { isPreparable } from './read-ahead.ts'
import { stageOne } from './stage-one.ts'
import type { StagedFile, StagedValue } from './staged.ts'

interface AssetUpload {
  readonly name?: string
  readonly signal?: AbortSignal
}

/** Sends one asset of an experiment. Its id is made here, so that a lost answer can be asked for again without making two. */
export async function uploadAsset(
  { api }: Connection,
  experimentKey: string,
  source: unknown,
  describeAs: (name: string) => AssetDescription,
  { name, signal }: AssetUpload,
): Promise<{ readonly assetId: string }> {
  const staged = await stageOne(source, { signal })
  const encoded = await encode(staged, staged.kind, { signal })
  const fileName = name ?? encoded.name
  if (fileName === undefined || fileName === '')
    throw new InvalidInputError(
      `${describe(source)} has no name of its own: say what it is called, as in uploadAsset(value, { name: 'settings.json' }).`,
      { code: 'asset-name-missing' },
    )
  const { search, metadata } = describeAs(fileName)
  const file = await encodedFile(encoded, { again: againOf(staged, signal), signal })
  try {
    const assetId = randomId()
    const answer = await sendForm<{ assetId?: unknown }>(api, uploadPath, {
      search: { experimentKey, ...search, assetId },
      form: () => assetForm(file, fileName, metadata),
      signal,
    })
    // Comet may give it another.
    return { assetId: typeof answer?.assetId === 'string' ? answer.assetId : assetId }
  } finally {
    await file.release()
  }
}

/** How an asset is read once more without being kept; `undefined` where it cannot be. */
export function againOf(asset: StagedFile | StagedValue, signal: AbortSignal | undefined): EncodedFileOptions['again'] {
  if (!('file' in asset)) {
    const { again } = asset
    return again && (() => again(signal))
  }
  const { file } = asset
  return isPreparable(file) ? () => file.open(signal) : undefined
}

/** The parts of an asset in the order in which every server can take them in one go: what is known of it before its bytes. */
export function assetForm(file: EncodedFile, path: string, metadata: string | undefined): FormData | StreamedForm {
  const fileName = path.slice(path.lastIndexOf('/') + 1)
  if (!file.blob) return streamedForm(metadata === undefined ? {} : { metadata }, { ...file, name: fileName })
  const form = new FormData()
  if (metadata !== undefined) form.append('metadata', metadata)
  form.append('file', file.blob, fileName)
  return form
}
