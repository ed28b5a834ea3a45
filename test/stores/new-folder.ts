import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of its own for one test; `path` inside it does not exist yet. */
export async function inNewFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const top = await mkdtemp(join(tmpdir(), 'tidemark-test-'))
  return { path: join(top, 'store'), remove: () => rm(top, { recursive: true, force: true }) }
}

/** What lies in a folder, with everything below; an absent folder holds nothing. */
export async function filesBelow(path: string): Promise<string[]> {
  try {
    return (await readdir(path, { recursive: true })).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
