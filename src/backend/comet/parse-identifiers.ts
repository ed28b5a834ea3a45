import { InvalidInputError } from '../../errors.ts'
import { checkLogicalPath, checkName } from '../../paths.ts'
import { fromBase64Url } from '../../protocol/base64.ts'
import type { ArtifactPlace } from '../identifiers.ts'

/** @throws InvalidInputError `invalid-id`, `invalid-base64`, `invalid-name` */
export function parseArtifactId(id: string): ArtifactPlace {
  const [workspace, name, ...rest] = fromBase64Url(id).split('/')
  if (name === undefined || rest.length > 0) throw invalidId(id, 'an artifact')
  // One identifier per thing: a name in another spelling than the stored one was not given out by us.
  if (checkName(workspace, 'workspace') !== workspace || checkName(name) !== name) throw invalidId(id, 'an artifact')
  return { workspace, name }
}

/** @throws InvalidInputError `invalid-id`, `invalid-base64`, `invalid-name` */
export function parseVersionId(id: string): ArtifactPlace & { index: number } {
  const [artifact, index, ...rest] = id.split('.')
  if (index === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,9})$/.test(index)) throw invalidId(id, 'a version')
  return { ...parseArtifactId(artifact), index: Number(index) }
}

/** @throws InvalidInputError `invalid-id`, `invalid-base64`, `invalid-name`, `invalid-path` */
export function parseAssetId(id: string): ArtifactPlace & { index: number; path: string } {
  const end = id.lastIndexOf('.')
  if (end <= 0) throw invalidId(id, 'an asset')
  return { ...parseVersionId(id.slice(0, end)), path: checkLogicalPath(fromBase64Url(id.slice(end + 1))) }
}

function invalidId(id: string, what: string): InvalidInputError {
  return new InvalidInputError(`${JSON.stringify(id.slice(0, 200))} is not the id of ${what}.`, { code: 'invalid-id' })
}
