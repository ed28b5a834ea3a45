import type { Entry } from '../content/entry.ts'
import type { VersionReading } from '../content/version-reading.ts'
import { CorruptionError, isTidemarkError, NotFoundError, throwIfAborted } from '../errors.ts'
import { type OnProgress, ProgressReporter } from './progress.ts'

export interface VerifyOptions {
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** What a verification found. Paths are logical paths. */
export interface VerifyReport {
  /** True when nothing is wrong. */
  readonly ok: boolean
  /** Assets looked at, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** Stored assets that are not what was written, and why. */
  readonly damaged: readonly { readonly path: string; readonly code: string; readonly message: string }[]
  /** Of a folder: assets that are not there, that differ, and files that are no asset. */
  readonly missing: readonly string[]
  readonly different: readonly string[]
  readonly extra: readonly string[]
}

/**
 * Reads every byte of a version against its digests. Damage is reported, not thrown, so that all of it is found.
 *
 * @throws CorruptionError when the list of assets itself is damaged
 */
export async function verifyStored(
  reader: VersionReading,
  { onProgress, signal }: VerifyOptions,
): Promise<VerifyReport> {
  const entries = await storedEntries(reader, signal)
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0)
  const progress = new ProgressReporter(onProgress, { phase: 'verifying', totalFiles: entries.length, totalBytes })
  const damaged: { path: string; code: string; message: string }[] = []
  for (let next = 0; next < entries.length; next = progress.state.files) {
    try {
      await readFrom(reader, entries.slice(next), progress, signal)
    } catch (error) {
      if (!isDamage(error)) throw error
      // The reader runs ahead, so the asset that is damaged may not be the one being read: read alone, one after another, until it is found.
      damaged.push(...(await findDamage(reader, entries.slice(progress.state.files), progress, signal)))
    }
  }
  progress.enter('done')
  const { files, bytes } = progress.state
  return { ok: damaged.length === 0, files, bytes, damaged, missing: [], different: [], extra: [] }
}

async function readFrom(
  reader: VersionReading,
  entries: readonly Entry[],
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { body } of reader.readMany(entries, { signal })) {
    let bytes = 0
    for await (const piece of body) bytes += piece.length
    throwIfAborted(signal)
    progress.add({ files: 1, bytes })
  }
}

async function findDamage(
  reader: VersionReading,
  entries: readonly Entry[],
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
) {
  for (const entry of entries) {
    let bytes = 0
    try {
      for await (const piece of reader.read(entry, { signal })) bytes += piece.length
      progress.add({ files: 1, bytes })
    } catch (error) {
      if (!isDamage(error)) throw error
      progress.add({ files: 1, bytes })
      return [{ path: entry.path, code: error.code, message: error.message }]
    }
  }
  return []
}

function isDamage(error: unknown): error is CorruptionError | NotFoundError {
  return (
    isTidemarkError(error) &&
    (error instanceof CorruptionError || (error instanceof NotFoundError && error.code === 'pack-missing'))
  )
}

/** All assets whose bytes are in the version. */
export async function storedEntries(reader: VersionReading, signal: AbortSignal | undefined): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of reader.entries({ signal })) if (!entry.remote) entries.push(entry)
  return entries
}
