import type { Entry } from '../../content/entry.ts'
import type { VersionReading } from '../../content/version-reading.ts'
import { InvalidInputError, NotFoundError } from '../../errors.ts'
import { checkText, nearest } from '../../options.ts'
import { checkLogicalPath } from '../../paths.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import { versionLabel } from '../versions.ts'

type Version = Pick<VersionWire, 'name' | 'version' | 'index' | 'count'>

// Paths named in a message: enough to recognise the artifact, few enough to read.
const pathsShown = 5

/**
 * The asset at this path; the only one there is when no path is given.
 *
 * @throws NotFoundError `asset-not-found` naming paths that are near; InvalidInputError `path-needed`
 */
export async function findEntry(
  reader: VersionReading,
  version: Version,
  path: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Entry> {
  if (path === undefined) return onlyEntry(reader, version, signal)
  checkText(path, 'path')
  const found = await reader.entry(checkLogicalPath(path), signal)
  if (found) return found
  const paths: string[] = []
  for await (const entry of reader.entries({ signal })) paths.push(entry.path)
  const near = nearest(path, paths, pathsShown)
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(', ')}?`
      : `There ${paths.length === 1 ? 'is' : 'are'}: ${shown(paths)}.`
  throw notFound(version, `has no asset '${path}'. ${paths.length > 0 ? hint : 'It has none at all.'}`, path)
}

async function onlyEntry(reader: VersionReading, version: Version, signal: AbortSignal | undefined): Promise<Entry> {
  const entries: Entry[] = []
  for await (const entry of reader.entries({ signal })) {
    entries.push(entry)
    if (entries.length > pathsShown) break
  }
  if (entries.length === 1) return entries[0]
  if (entries.length === 0) throw notFound(version, 'has no assets.')
  throw new InvalidInputError(
    `${versionLabel(version)} has ${version.count} assets: say which one, by its path. There are: ${shown(entries.map(({ path }) => path))}.`,
    { code: 'path-needed', fields: fieldsOf(version) },
  )
}

function notFound(version: Version, what: string, path?: string): NotFoundError {
  return new NotFoundError(`${versionLabel(version)} ${what}`, {
    code: 'asset-not-found',
    fields: { ...fieldsOf(version), ...(path !== undefined && { path }) },
  })
}

function fieldsOf({ name, version }: Version) {
  return { artifact: name, version }
}

function shown(paths: readonly string[]): string {
  return paths.slice(0, pathsShown).join(', ') + (paths.length > pathsShown ? ', ...' : '')
}
