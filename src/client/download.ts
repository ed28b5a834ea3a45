import type { Entry } from '../content/entry.ts'
import type { VersionReading } from '../content/version-reading.ts'
import { CorruptionError, InvalidInputError, NotFoundError, throwIfAborted } from '../errors.ts'
import { nearest } from '../options.ts'
import { checkLogicalPath, foldPath } from '../paths.ts'
import { type DownloadTarget, digestOf, fileExists } from './download/download-target.ts'
import type { Overwrite } from './download/overwrite.ts'
import { type OnProgress, ProgressReporter } from './progress.ts'
import { atOnce } from './slots.ts'

// Looking at files waits for the disk; a few at once keep it busy.
const looksInFlight = 16

// Paths named in a message: enough to recognise one, few enough to read.
const pathsShown = 5

export interface DownloadOptions {
  /** Default `fail`. */
  readonly overwrite?: Overwrite
  /** Only the asset at this path, or those below this folder. Their paths stay whole. */
  readonly pathPrefix?: string
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** What a download did. Paths are logical paths, below the target. */
export interface DownloadReport {
  readonly written: readonly string[]
  /** Were there already: equal, or preserved. */
  readonly kept: readonly string[]
  /** Remote assets: only their links are in the artifact. */
  readonly remote: readonly string[]
  /** Bytes written. */
  readonly bytes: number
}

/** Downloads a version into a target: all checks first, then all bytes out of sight, then everything is made visible. */
export async function download(
  reader: VersionReading,
  target: DownloadTarget,
  options: DownloadOptions & { readonly only?: Entry },
): Promise<DownloadReport> {
  const { overwrite = 'fail', signal, onProgress } = options
  try {
    const { files, remote } = options.only ? planOne(reader, options.only) : await planDownload(reader, options)
    const clash = target.folds && findClash(files, reader.what)
    if (clash && (await target.folds?.())) throw clash
    const { wanted, kept } = await choose(files, target, overwrite, signal)
    const totalBytes = wanted.reduce((sum, { size }) => sum + size, 0)
    const progress = new ProgressReporter(onProgress, { phase: 'downloading', totalBytes, totalFiles: wanted.length })
    for await (const { entry, body } of reader.readMany(wanted, { signal })) {
      await target.stage(entry.path, entry.size, counted(body, progress, signal))
      progress.add({ files: 1 })
    }
    throwIfAborted(signal)
    await target.publish(overwrite)
    progress.enter('done')
    return { written: wanted.map(({ path }) => path), kept, remote, bytes: totalBytes }
  } finally {
    await target.discard()
  }
}

/** The pieces of a file, counted as they pass. */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    throwIfAborted(signal)
    yield piece
    progress.add({ bytes: piece.length, stored: piece.length })
  }
}

/** The entries that are wanted, their paths checked once more: the store may have been written by anyone. */
export async function planDownload(
  reader: VersionReading,
  { pathPrefix = '', signal }: DownloadOptions,
): Promise<{ files: Entry[]; remote: string[] }> {
  const prefix = pathPrefix.normalize('NFC').replace(/\/+$/, '')
  const files: Entry[] = []
  const remote: string[] = []
  for await (const entry of reader.entries({ prefix, signal })) {
    if (prefix !== '' && entry.path !== prefix && !entry.path.startsWith(`${prefix}/`)) continue
    assertSafe(entry.path, reader.what)
    if (entry.remote) remote.push(entry.path)
    else files.push(entry)
  }
  if (prefix !== '' && files.length + remote.length === 0) throw await nothingBelow(reader, prefix, signal)
  return { files, remote }
}

function planOne(reader: VersionReading, entry: Entry): { files: Entry[]; remote: string[] } {
  assertSafe(entry.path, reader.what)
  return { files: [entry], remote: [] }
}

async function nothingBelow(reader: VersionReading, prefix: string, signal?: AbortSignal): Promise<NotFoundError> {
  const paths = new Set<string>()
  for await (const { path } of reader.entries({ signal })) {
    paths.add(path)
    // Folders too: a prefix is one most of the time.
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      paths.add(path.slice(0, slash))
  }
  const near = nearest(prefix, paths, pathsShown)
  const hint = near.length > 0 ? ` Did you mean ${near.join(', ')}?` : ' See its paths: getAssets().'
  return new NotFoundError(`${reader.what} has no asset or folder '${prefix}'.${hint}`, {
    code: 'asset-not-found',
    fields: { path: prefix },
  })
}

function assertSafe(path: string, what: string): void {
  try {
    if (checkLogicalPath(path) === path) return
  } catch (cause) {
    throw unsafe(path, what, cause)
  }
  throw unsafe(path, what)
}

function unsafe(path: string, what: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    `${what} holds the path ${JSON.stringify(path)}, which no artifact may hold. Nothing was downloaded.`,
    {
      code: 'unsafe-path',
      fields: { path },
      cause,
    },
  )
}

/** Two files that meet at one place on a file system that ignores case or spelling, or a file and a folder. */
function findClash(files: readonly Entry[], what: string): InvalidInputError | undefined {
  const folded = new Map<string, string>()
  const folders = new Map<string, string>()
  for (const { path } of files) {
    const fold = foldPath(path)
    const other = folded.get(fold)
    if (other !== undefined) return collide(path, other, what)
    folded.set(fold, path)
    for (let slash = fold.indexOf('/'); slash !== -1; slash = fold.indexOf('/', slash + 1))
      folders.set(fold.slice(0, slash), path)
  }
  for (const [fold, path] of folded) {
    const below = folders.get(fold)
    if (below !== undefined) return collide(path, below, what)
  }
  return undefined
}

function collide(path: string, other: string, what: string): InvalidInputError {
  return new InvalidInputError(
    `'${path}' and '${other}' of ${what} would be one file there, where case or spelling of names does not count. Download them apart with pathPrefix, or into a Map.`,
    { code: 'paths-collide', fields: { path, other } },
  )
}

/** Which of the files have to be written. */
async function choose(
  files: readonly Entry[],
  target: DownloadTarget,
  overwrite: Overwrite,
  signal: AbortSignal | undefined,
): Promise<{ wanted: Entry[]; kept: string[] }> {
  const staying = new Set<Entry>()
  await atOnce(looksInFlight, files, async (entry) => {
    if (await mayStay(entry, target, overwrite, signal)) staying.add(entry)
  })
  return {
    wanted: files.filter((entry) => !staying.has(entry)),
    kept: files.filter((entry) => staying.has(entry)).map(({ path }) => path),
  }
}

async function mayStay(
  entry: Entry,
  target: DownloadTarget,
  overwrite: Overwrite,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  throwIfAborted(signal)
  const existing = await target.existing(entry.path)
  if (!existing) return false
  if (overwrite === 'preserve') return true
  if (existing.size === entry.size && (await digestOf(existing)) === entry.digest) return true
  if (overwrite === 'overwrite') return false
  throw fileExists(entry.path)
}
