/**
 * Versioned data for machine learning in JavaScript.
 *
 * ```ts
 * import { createExperiment } from 'tidemark'
 *
 * const experiment = await createExperiment({ project: 'flowers' })
 * await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
 * const again = await experiment.getArtifact('settings')
 * console.log(again.version, await again.get())
 * await experiment.end()
 * ```
 *
 * @module
 */

export {
  type AddOptions,
  type AddRemoteOptions,
  Artifact,
  type ArtifactAsset,
  type ArtifactOptions,
} from './artifact.ts'
export type { CallApiOptions } from './client/api/call-api.ts'
export type { ColumnChanges, TableColumn } from './client/diff/table-columns.ts'
export type { Cells, RowChange, RowMatch, TableDiff, TableDiffOptions } from './client/diff/table-diff.ts'
export type { DiffChange, DiffLine, DiffSide, VersionDiff } from './client/diff.ts'
export type { DownloadTo } from './client/download/open-target.ts'
export type { Overwrite } from './client/download/overwrite.ts'
export type { DownloadOptions, DownloadReport } from './client/download.ts'
export type {
  ExperimentAsset,
  ExperimentMetadata,
  GitMetadata,
  LoggedValue,
  MetricSummary,
} from './client/experiment-reader.ts'
export type { Listing } from './client/listing.ts'
export type { Undelivered } from './client/log/run-log.ts'
export type { CreateExperimentOptions } from './client/open-run.ts'
export type { GetArtifactOptions } from './client/place-of.ts'
export type { OnProgress, Progress } from './client/progress.ts'
export type {
  CreateProjectOptions,
  DeleteProjectOptions,
  ExperimentSummary,
  GetExperimentsOptions,
  MultiMetricChart,
  MultiMetricChartOptions,
  ProjectColumn,
  ProjectSummary,
} from './client/projects.ts'
export type { MetricPoint } from './client/read-series.ts'
export type { VersionVerification } from './client/verify/verify-all.ts'
export type { VerifyOptions, VerifyReport } from './client/verify.ts'
export type { FileSource } from './codecs/file-source.ts'
// Values: what something is, said in words
export { arrays, file, folder, glob, image, json, table, text, type Wrapped } from './codecs/values.ts'
// Connections
export { type ConnectOptions, connect, type StorePlace } from './connect.ts'
export {
  callApi,
  close,
  collectGarbage,
  createExperiment,
  createProject,
  deleteArtifact,
  deleteProject,
  getArtifact,
  getArtifacts,
  getColumns,
  getExperiment,
  getExperiments,
  getMultiMetricChart,
  getProjects,
  getVersions,
  getWorkspaces,
  verify,
} from './default-connection.ts'
// Errors
export {
  AbortedError,
  ConflictError,
  CorruptionError,
  type ErrorCategory,
  type ErrorFields,
  InvalidInputError,
  isTidemarkError,
  NotFoundError,
  PermissionError,
  TidemarkError,
  UnavailableError,
  UnsupportedError,
} from './errors.ts'
// Experiments and artifacts
// Its code is loaded with the first one: createExperiment() and getExperiment() make them.
export type { Experiment, LogOptions, UploadArtifactOptions } from './experiment.ts'
export type {
  AssetOptions,
  MetricOptions,
  ParameterOptions,
  SystemDetails,
  UploadAssetOptions,
} from './experiment-writes.ts'
export { LoggedArtifact } from './logged-artifact.ts'
export { LoggedArtifactAsset } from './logged-artifact-asset.ts'
// Logging
export { disableLogging, type Logger } from './logging.ts'
export type { CollectReply, JsonValue, Metadata, VersionState } from './protocol/shapes.ts'
// Watched tables
export { RegisteredArtifact, type UnregisterOptions, type VersionEvent, type WatchErrorEvent } from './registered.ts'
// Stores
export { memoryStore } from './stores/memory.ts'
export type { Store } from './stores/store.ts'
export { type ArtifactSummary, type CollectOptions, Tidemark } from './tidemark.ts'
export type { RegisterArtifactOptions } from './watched-tables.ts'
