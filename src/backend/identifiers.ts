import { toBase64Url } from '../protocol/base64.ts'

/** Which artifact: identifiers, keys and routes are made from these two. */
export interface ArtifactPlace {
  readonly workspace: string
  readonly name: string
}

/** Identifiers tell where a thing is, so that no index has to be kept; to users they are opaque. */
export function artifactIdOf({ workspace, name }: ArtifactPlace): string {
  return toBase64Url(`${workspace}/${name}`)
}

export function versionIdOf(place: ArtifactPlace, index: number): string {
  return `${artifactIdOf(place)}.${index}`
}

export function assetIdOf(place: ArtifactPlace, index: number, path: string): string {
  return `${versionIdOf(place, index)}.${toBase64Url(path)}`
}
