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
  const compare = async (files: AsyncIterable<FileSource>, unknown: string[]) => {
    for await (const file of files) {
      throwIfAborted(signal)
      const path = file.path ?? file.name
      const entry = expected.get(path)
      expected.delete(path)
      if (!entry) unknown.push(path)
      else if (
        (file.size !== undefined && file.size !== entry.size) ||
        (await digestOf(file, progress, signal)) !== entry.digest
      )
        different.push(path)
      if (entry) progress.add({ files: 1 })
    }
  }
  await compare(opened.files, extra)
  if (expected.size > 0) {
    // What a walk over a folder leaves out, such as `.git`, may have been added by itself.
    const again = await openSource(folder, { signal, ignore: '!*', wanted: leadsTo(expected) })
    if (again.kind === 'folder') await compare(again.files, [])
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

/** Whether a file is one of these, or a folder has one of them in it. */
function leadsTo(paths: ReadonlyMap<string, unknown>): (path: string, kind: 'file' | 'folder') => boolean {
  const folders = new Set<string>()
  for (const path of paths.keys())
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      folders.add(path.slice(0, slash))
  return (path, kind) => (kind === 'folder' ? folders : paths).has(path)
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
