import type { FileSource } from '../../codecs/file-source.ts'
import { openDigester } from '../../content/digest.ts'
import type { VersionReading } from '../../content/version-reading.ts'
import { InvalidInputError, NotFoundError, throwIfAborted } from '../../errors.ts'
import { describe } from '../../options.ts'
import { openSource } from '../../sources/open.ts'
import { ProgressReporter } from '../progress.ts'
import { storedEntries, type VerifyOptions, type VerifyReport } from '../verify.ts'

/** Compares a folder (a path, a handle, a `FileList`) with a version. Remote assets are not looked for. */
export async function verifyFolder(
  reader: VersionReading,
  folder: unknown,
  { onProgress, signal }: VerifyOptions,
): Promise<VerifyReport> {
  const opened = await openSource(folder, { signal })
  if (opened.kind === 'text')
    throw new NotFoundError(
      `There is no folder '${folder}' to compare with. Check the spelling and the current folder.`,
      {
        code: 'file-not-found',
      },
    )
  if (opened.kind !== 'folder')
    throw new InvalidInputError(`verify() compares with a folder, not with ${describe(folder)}.`, {
      code: 'invalid-target',
    })
  const expected = new Map((await storedEntries(reader, signal)).map((entry) => [entry.path, entry]))
  const progress = new ProgressReporter(onProgress, { phase: 'verifying', totalFiles: expected.size })
  const different: string[] = []
  const extra: string[] = []
  for await (const file of opened.files) {
    throwIfAborted(signal)
    const path = file.path ?? file.name
    const entry = expected.get(path)
    expected.delete(path)
    if (!entry) extra.push(path)
    else if (
      (file.size !== undefined && file.size !== entry.size) ||
      (await digestOf(file, progress, signal)) !== entry.digest
    )
      different.push(path)
    if (entry) progress.add({ files: 1 })
  }
  const missing = [...expected.keys()]
  progress.enter('done')
  const { files, bytes } = progress.state
  return {
    ok: missing.length + different.length + extra.length === 0,
    files,
    bytes,
    damaged: [],
    missing,
    different,
    extra,
  }
}

async function digestOf(
  file: FileSource,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hasher = (await openDigester()).create()
  for await (const piece of file.open(signal)) {
    hasher.update(piece)
    progress.add({ bytes: piece.length })
  }
  return hasher.hex()
}
