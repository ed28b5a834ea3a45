import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { FileSource } from '../../src/codecs/file-source.ts'

/** A folder with these files, gone when the test is over. A content of `null` is an empty folder. */
export async function tempFolder(files: Record<string, string | Uint8Array | null> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path)
    await mkdir(content === null ? target : dirname(target), { recursive: true })
    if (content !== null) await writeFile(target, content)
  }
  return folder
}

export async function pathsOf(files: AsyncIterable<FileSource>): Promise<string[]> {
  const paths: string[] = []
  for await (const file of files) paths.push(file.path ?? file.name)
  return paths
}

/** Path to text, read as they come. */
export async function textsOf(files: AsyncIterable<FileSource>): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for await (const file of files) texts[file.path ?? file.name] = new TextDecoder().decode(await bytesOf(file))
  return texts
}

export async function bytesOf(file: FileSource): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of file.open()) pieces.push(piece.slice())
  return Buffer.concat(pieces)
}
