import { clientPrefix, restPrefix, tidemarkPrefix } from '../../protocol/routes.ts'
import { cometCreateRoutes } from '../comet/comet-create-routes.ts'
import type { Services } from '../services.ts'
import { capabilityRoutes } from './capability-routes.ts'
import { experimentRoutes } from './experiment-routes.ts'
import type { Router } from './router.ts'
import { versionRoutes } from './version-routes.ts'

/** Routes that are loaded together. */
export interface RouteGroup {
  /** The paths that it answers, and all below them; a segment `:name` stands for any one segment. */
  readonly paths: readonly string[]
  load(): Promise<(router: Router, services: Services) => void>
}

/**
 * Of the groups whose paths fit, the one with the longest is asked. What every program needs that logs and reads artifacts comes with the backend, everything else
 * when it is first asked for.
 */
export const routeGroups: readonly RouteGroup[] = [
  { paths: own('capabilities'), load: async () => capabilityRoutes },
  { paths: own('have', 'packs'), load: async () => (await import('./pack-routes.ts')).packRoutes },
  { paths: own('artifacts/:workspace/:name/versions'), load: async () => versionRoutes },
  {
    paths: own('artifacts', 'artifacts/:workspace/:name/versions/:index'),
    load: async () => (await import('./artifact-routes.ts')).artifactRoutes,
  },
  {
    paths: own('experiments/:key/log', 'experiments/:key/series'),
    load: async () => (await import('./log-routes.ts')).logRoutes,
  },
  { paths: own('experiments'), load: async () => experimentRoutes },
  { paths: own('gc'), load: async () => (await import('./collection-routes.ts')).collectionRoutes },
  {
    paths: ofExperiments('system-details'),
    load: async () => (await import('../comet/comet-system-routes.ts')).cometSystemRoutes,
  },
  {
    paths: ofExperiments('html', 'graph', 'code', 'git/metadata', 'output'),
    load: async () => (await import('../comet/comet-text-routes.ts')).cometTextRoutes,
  },
  {
    paths: [
      ...ofExperiments('metric', 'metrics', 'parameter', 'parameters', 'log-other', 'tags'),
      ...comet('experiments/multi-metric-chart', 'write/experiments/parameters'),
    ],
    load: async () => (await import('../comet/comet-metric-routes.ts')).cometMetricRoutes,
  },
  {
    paths: [...comet('artifacts', 'write/artifacts'), ...ofExperiments('asset/get-asset')],
    load: async () => (await import('../comet/comet-artifact-routes.ts')).cometArtifactRoutes,
  },
  {
    paths: ofExperiments('asset', 'upload-asset', 'git/patch'),
    load: async () => (await import('../comet/comet-asset-routes.ts')).cometAssetRoutes,
  },
  {
    paths: comet('experiment/model', 'registry-model', 'write/registry-model'),
    load: async () => (await import('../comet/comet-model-routes.ts')).cometModelRoutes,
  },
  {
    paths: ofExperiments('update-status', 'file-path', 'cpu-metrics', 'gpu-metrics', 'ram-metrics', 'load-metrics'),
    load: async () => (await import('../comet/comet-status-routes.ts')).cometStatusRoutes,
  },
  { paths: comet('write/experiment/create'), load: async () => cometCreateRoutes },
  {
    paths: comet('experiment', 'write/experiment', 'write/project/symlink'),
    load: async () => (await import('../comet/comet-experiment-routes.ts')).cometExperimentRoutes,
  },
  {
    paths: [restPrefix, clientPrefix],
    load: async () => (await import('../comet/comet-workspace-routes.ts')).cometWorkspaceRoutes,
  },
]

function own(...paths: readonly string[]): string[] {
  return paths.map((path) => `${tidemarkPrefix}/${path}`)
}

function comet(...paths: readonly string[]): string[] {
  return paths.map((path) => `${restPrefix}/${path}`)
}

/** Comet reads below one path and writes below another. */
function ofExperiments(...paths: readonly string[]): string[] {
  return paths.flatMap((path) => comet(`experiment/${path}`, `write/experiment/${path}`))
}
