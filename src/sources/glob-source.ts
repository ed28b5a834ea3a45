import { isUrl } from '../codecs/capabilities.ts'
import type { FileSource } from '../codecs/file-source.ts'
import { compileGlob } from './glob.ts'
import { localFiles } from './local.ts'
import { type Opened, type OpenOptions, UNNAMED } from './open.ts'
import type { Tree, TreeEntry } from './tree.ts'
import { walk } from './walk.ts'

export { hasWildcards } from './glob.ts'

/** The files that patterns match: in the folder given when it is one that a page has, else where the path or URL says. */
export async function openGlob(
  patterns: readonly string[],
  tree: { readonly tree: Tree } | undefined,
  where: unknown,
  options: OpenOptions,
): Promise<Opened> {
  const name = globName(patterns)
  if (tree !== undefined) return { kind: 'folder', name, files: globTree(patterns, tree.tree, options) }
  const local = await localFiles(patterns[0] ?? '')
  const folder = isUrl(where) ? local.pathOfUrl(where) : typeof where === 'string' ? where : '.'
  return { kind: 'folder', name, files: local.expandGlob(patterns, { ...options, folder }) }
}

async function* globTree(patterns: readonly string[], top: Tree, options: OpenOptions): AsyncGenerator<FileSource> {
  const glob = compileGlob(patterns)
  let tree: Tree | undefined = top
  for (const segment of glob.base === '' ? [] : glob.base.split('/')) {
    const entries: readonly TreeEntry[] = await tree.entries(segment)
    const entry = entries.find(({ name }) => name.normalize('NFC') === segment.normalize('NFC'))
    tree = entry?.kind === 'folder' ? entry.tree : undefined
    if (tree === undefined) break
  }
  if (tree !== undefined) yield* walk(tree, { ...options, wanted: glob.wanted })
  glob.assertMatched('the folder')
}

/** After the folder that its patterns name: `photos/*.jpg` is called photos. */
function globName(patterns: readonly string[]): string {
  const last = compileGlob(patterns).base.split('/').at(-1) ?? ''
  return ['', '.', '..'].includes(last) ? UNNAMED : last
}
