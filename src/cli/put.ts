import { existsSync, statSync } from 'node:fs'
import {
  Artifact,
  file,
  folder,
  glob,
  InvalidInputError,
  isTidemarkError,
  type LoggedArtifact,
  type Metadata,
  NotFoundError,
  type Tidemark,
} from '../index.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { formatBytes, formatDuration, formatNumber } from './human.ts'
import { versionFacts, versionTitle } from './version-facts.ts'

// As uploadArtifact() calls what has no type of its own.
const defaultType = 'data'

const wildcards = /[*?[\]{}]/

export const put: Command = {
  name: 'put',
  summary: 'store files and folders as the next version of an artifact',
  operands: { usage: 'NAME PATH...', least: 2, most: Number.POSITIVE_INFINITY },
  about: [
    'Every file becomes one asset. The files of a single folder or pattern lie at the top of the artifact, so that get makes the same folder\n' +
      'again; of several paths each keeps its name. A pattern stands in quotes: "photos/**/*.jpg".',
    'Only what differs from the latest version is stored. When nothing does, there is no new version.',
  ],
  options: {
    type: {
      type: 'text',
      value: 'TYPE',
      about: `what it is for, such as dataset or model (default: ${defaultType}, or the type it has)`,
    },
    alias: { type: 'text', value: 'ALIAS', about: 'name that moves to this version; may be repeated' },
    tag: { type: 'text', value: 'TAG', about: 'word that stays with this version; may be repeated' },
    metadata: { type: 'text', value: 'JSON', about: 'object that is kept with the version' },
    description: { type: 'text', value: 'TEXT', about: 'what a person should know of it' },
    ignore: {
      type: 'text',
      value: 'PATTERN',
      about: 'leave files out, as a line of .gitignore would; may be repeated',
    },
    version: { type: 'text', value: 'X.Y.Z', about: 'semantic version (default: the next major one)' },
  },
  examples: [
    'tidemark put flowers ./photos --type dataset --alias golden',
    'tidemark put settings settings.json --metadata \'{"author": "ada"}\'',
    'tidemark put jpegs "photos/**/*.jpg"',
  ],
  run: runPut,
}

async function runPut({ values, out, signal, onProgress, connect }: Context): Promise<undefined> {
  const began = performance.now()
  const [name, ...paths] = values.operands
  const metadata = parseMetadata(values.text('metadata'))
  const tidemark = await connect({ create: true })
  const artifact = new Artifact(name, values.text('type') ?? (await knownType(tidemark, name, signal)), {
    aliases: values.texts('alias'),
    versionTags: values.texts('tag'),
    version: values.text('version'),
    description: values.text('description'),
    ...(metadata && { metadata }),
  })
  await addPaths(artifact, paths, values.texts('ignore'), signal)
  const experiment = await tidemark.createExperiment({
    name: 'tidemark put',
    logCode: false,
    logSystemDetails: false,
    signal,
  })
  let stored = 0
  let version: LoggedArtifact
  try {
    version = await experiment.logArtifact(artifact, {
      signal,
      onProgress: (progress) => {
        stored = progress.stored
        onProgress(progress)
      },
    })
  } catch (error) {
    // What is told is why nothing was stored, not that an empty experiment stays where it cannot be deleted.
    await experiment.delete().catch(() => undefined)
    throw error
  }
  const created = version.sourceExperimentKey === experiment.key
  // One that brought nothing would only be in the way.
  await (created ? experiment.end() : experiment.delete())
  const ms = performance.now() - began
  if (out.json) {
    out.document({ ...versionFacts(version), created, bytesStored: created ? stored : 0, ms: Math.round(ms) })
    return undefined
  }
  const { style } = out
  const title = style.bold(versionTitle(version))
  const content = `${formatNumber(version.count, 'asset')}, ${formatBytes(version.size)}`
  out.line(
    created
      ? `${style.green('Stored')} ${title}: ${content}, ${formatBytes(stored)} newly stored, ${formatDuration(ms)}`
      : `Nothing new: ${title} holds the same ${content}, ${formatDuration(ms)}`,
  )
  if (version.aliases.length > 0) out.line(`Aliases: ${printable(version.aliases.join(', '))}`)
  return undefined
}

/** An artifact keeps its type; a new one gets the default. */
async function knownType(tidemark: Tidemark, name: string, signal: AbortSignal): Promise<string> {
  try {
    return (await tidemark.getArtifact(name, { signal })).type
  } catch (error) {
    if (isTidemarkError(error) && (error.code === 'artifact-not-found' || error.code === 'version-not-found'))
      return defaultType
    throw error
  }
}

async function addPaths(
  artifact: Artifact,
  paths: readonly string[],
  ignore: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const alone = paths.length === 1
  let folders = 0
  for (const path of paths) {
    const source = sourceAt(path)
    const options = { signal, ...(source.many && alone && { logicalPath: '' }) }
    const ignoring = source.many && ignore.length > 0 ? { ...options, ignore } : options
    await artifact.add(source.value, ignoring).catch((error: unknown) => {
      throw isTidemarkError(error) && error.code === 'glob-no-match' ? noFile(path, error.code, error) : error
    })
    if (source.many) folders++
  }
  if (folders === 0 && ignore.length > 0)
    throw new InvalidInputError(
      '--ignore is for folders and patterns, and there is none among the paths. Leave it out.',
      {
        code: 'invalid-option',
        fields: { option: 'ignore' },
      },
    )
}

// Said outright: a string alone would be text when there is no such file.
function sourceAt(path: string) {
  if (existsSync(path))
    return statSync(path).isDirectory() ? { value: folder(path), many: true } : { value: file(path), many: false }
  if (wildcards.test(path)) return { value: glob(path), many: true }
  throw noFile(path, 'file-not-found')
}

function noFile(path: string, code: string, cause?: unknown): NotFoundError {
  const what = code === 'glob-no-match' ? 'No file matches the pattern' : 'There is no file or folder'
  return new NotFoundError(`${what} '${path}'. Check the spelling and the current folder.`, {
    code,
    fields: { path },
    cause,
  })
}

function parseMetadata(text: string | undefined): Metadata | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (isMetadata(value)) return value
  } catch (cause) {
    throw notMetadata(cause)
  }
  throw notMetadata()
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function notMetadata(cause?: unknown): InvalidInputError {
  return new InvalidInputError(`--metadata takes a JSON object such as '{"source": "field"}'.`, {
    code: 'invalid-metadata',
    cause,
  })
}
