import { areFlat } from '../../codecs/detect.ts'
import { fileContent } from '../../codecs/file-content.ts'
import type { FileSource } from '../../codecs/file-source.ts'
import { UNKNOWN_MEDIA_TYPE } from '../../codecs/media-type.ts'
import { InvalidInputError } from '../../errors.ts'
import { describe } from '../../options.ts'
import type { Metadata } from '../../protocol/shapes.ts'
import { openValue } from './open-value.ts'
import type { StagedAsset } from './staged.ts'

export interface StageOptions {
  readonly logicalPath?: string
  readonly overwrite?: boolean
  readonly metadata?: Metadata
  readonly ignore?: string | readonly string[]
  readonly signal?: AbortSignal
}

type Placed = readonly [path: string, asset: StagedAsset]

/** What adding a source to an artifact means, loaded with the first that is added: one asset for a value or a file, one for each file of a folder or pattern. */
export async function stage(source: unknown, options: StageOptions): Promise<Placed[]> {
  const { overwrite, metadata, ignore, signal } = options
  const about = { ...(overwrite && { overwrite }), ...(metadata && { metadata }) }
  const { kind, value, assumed, file, folder } = await openValue(source, { ignore, signal })
  if (folder) return placeFolder(folder.name, folder.files, options, about)
  if (ignore !== undefined) throw notAFolder(source)
  // What a pending asset is can be asked for at once.
  const sure = assumed && Array.isArray(value) && !areFlat(value) ? 'json' : kind
  if (!file) return [[pathOf('', options, source), { kind: sure, value: () => value, ...about }]]
  const localPath = typeof source === 'string' ? { localPath: source } : undefined
  const path = pathOf(file.name, options, source)
  return [[path, { file: file.name === '' ? calledAs(path, file) : file, ...localPath, ...about }]]
}

async function placeFolder(
  name: string,
  files: AsyncIterable<FileSource>,
  { logicalPath = name }: StageOptions,
  about: { overwrite?: boolean; metadata?: Metadata },
): Promise<Placed[]> {
  const folder = logicalPath.replace(/\/+$/, '')
  const prefix = folder === '' ? '' : `${folder}/`
  const placed: Placed[] = []
  for await (const file of files) placed.push([`${prefix}${file.path ?? file.name}`, { file, ...about }])
  return placed
}

/** Bytes without a name are of the type that their path says, unless they say it themselves. */
function calledAs(path: string, file: FileSource): FileSource {
  const known = file.mediaType === UNKNOWN_MEDIA_TYPE ? undefined : { mediaType: file.mediaType }
  return fileContent(file, { name: path.slice(path.lastIndexOf('/') + 1), ...known })
}

/** The path given; in the folder given, when it ends with `/`; else the value's own name. */
function pathOf(name: string, { logicalPath }: StageOptions, source: unknown): string {
  if (logicalPath !== undefined && logicalPath !== '' && !logicalPath.endsWith('/')) return logicalPath
  if (name !== '') return `${logicalPath ?? ''}${name}`
  // A mistyped path most likely.
  const what =
    typeof source === 'string' && source !== ''
      ? `There is no file or folder '${source}', and a text has no name`
      : `${describe(source)} has no name`
  throw new InvalidInputError(
    `${what} of its own: say where it goes, as in add(value, { logicalPath: 'settings.json' }).`,
    {
      code: 'logical-path-missing',
    },
  )
}

function notAFolder(source: unknown): InvalidInputError {
  return new InvalidInputError(`ignore is for folders and patterns, and ${describe(source)} is neither.`, {
    code: 'invalid-option',
    fields: { option: 'ignore' },
  })
}
