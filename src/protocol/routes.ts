/** Comet's REST API v2: what existing Comet clients speak. */
export const restPrefix = '/api/rest/v2'

/** The same, as Comet's Python client asks for some of it; and what that client asks first. */
export const clientPrefix = '/clientlib'

/** Whether an address is one of Comet's: errors are told in its words there. */
export function isRestUrl(url: string): boolean {
  return url.includes(restPrefix) || url.includes(`${clientPrefix}/`)
}

/** What REST v2 lacks. The client asks `capabilities` once to learn whether a server has it. */
export const tidemarkPrefix = '/api/tidemark/v1'

/** Paths under `tidemarkPrefix`, built the same way by client and backend. Names travel percent-encoded, one path segment each. */
export const routes = {
  capabilities: () => `${tidemarkPrefix}/capabilities`,
  pack: (pack: string) => `${tidemarkPrefix}/packs/${encodeURIComponent(pack)}`,
  artifacts: () => `${tidemarkPrefix}/artifacts`,
  artifact: (workspace: string, name: string) =>
    `${tidemarkPrefix}/artifacts/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}`,
  versions: (workspace: string, name: string) => `${routes.artifact(workspace, name)}/versions`,
  version: (workspace: string, name: string, index: number) => `${routes.versions(workspace, name)}/${index}`,
  inputs: (experimentKey: string) => `${tidemarkPrefix}/experiments/${encodeURIComponent(experimentKey)}/inputs`,
  outputs: (experimentKey: string) => `${tidemarkPrefix}/experiments/${encodeURIComponent(experimentKey)}/outputs`,
  endExperiment: (experimentKey: string) => `${tidemarkPrefix}/experiments/${encodeURIComponent(experimentKey)}/end`,
  log: (experimentKey: string) => `${tidemarkPrefix}/experiments/${encodeURIComponent(experimentKey)}/log`,
  series: (experimentKey: string) => `${tidemarkPrefix}/experiments/${encodeURIComponent(experimentKey)}/series`,
  lineage: (workspace: string, name: string, index: number) => `${routes.version(workspace, name, index)}/lineage`,
  have: () => `${tidemarkPrefix}/have`,
  collect: () => `${tidemarkPrefix}/gc`,
} as const
