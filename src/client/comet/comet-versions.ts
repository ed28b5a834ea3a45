import { isTidemarkError } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Api } from '../api.ts'

/** One version in the list of an artifact. */
export interface ListedVersion {
  readonly artifactVersionId?: string
  readonly version: string
  readonly state?: unknown
  readonly added?: number | null
}

/**
 * All versions of an artifact, oldest first: v0, v1, ... The index of a version is its place here, failed ones counted, so that it stays the same as long as none is deleted. `undefined`
 * where the server has no such list.
 */
export async function cometVersions(
  api: Api,
  { workspace, name }: { readonly workspace: string; readonly name: string },
  signal: AbortSignal | undefined,
): Promise<readonly ListedVersion[] | undefined> {
  try {
    const search = { workspace, artifactName: name }
    const { versions } = await api.json<{ versions?: readonly ListedVersion[] }>('GET', `${restPrefix}/artifacts/get`, {
      search,
      signal,
    })
    return (
      versions && [...versions].sort((a, b) => (a.added ?? 0) - (b.added ?? 0) || compareVersions(a.version, b.version))
    )
  } catch (error) {
    // Where this list is, is not published: a server may know no such address.
    if (isTidemarkError(error) && error.code === 'request-failed' && Number(error.fields.status) < 500) return undefined
    throw error
  }
}

export function isClosed({ state }: ListedVersion): boolean {
  return state === undefined || state === 'CLOSED' || state === 1
}

export function isOpen({ state }: ListedVersion): boolean {
  return state === 'OPEN' || state === 0
}

/** Of versions logged in one millisecond. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number))
  const at = a.findIndex((number, index) => number !== b[index])
  return at === -1 ? 0 : a[at] - (b[at] ?? 0)
}
