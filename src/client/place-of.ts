import { checkText } from '../options.ts'
import { checkName, parseArtifactName } from '../paths.ts'
import type { VersionPlace } from './versions.ts'

export interface GetArtifactOptions {
  /** Wins over the one in the name. */
  readonly workspace?: string
  /** `v3`, `4.0.0` or an alias; wins over the one in the name. Default: the latest version. */
  readonly versionOrAlias?: string
  readonly signal?: AbortSignal
}

/** Which version a name and options mean; the options win. */
export function placeOf(
  name: string,
  { workspace, versionOrAlias }: GetArtifactOptions,
  defaultWorkspace: string,
): VersionPlace {
  checkText(workspace, 'workspace')
  checkText(versionOrAlias, 'versionOrAlias')
  const parsed = parseArtifactName(name)
  const select = versionOrAlias ?? parsed.versionOrAlias
  return {
    workspace: workspace === undefined ? (parsed.workspace ?? defaultWorkspace) : checkName(workspace, 'workspace'),
    name: parsed.name,
    ...(select !== undefined && { select }),
  }
}
