import { expect, it } from 'vitest'
import * as tidemark from '../src/index.ts'

// Adding a name is a decision, taking one away breaks programs: either shows up here.
it('exports these names and no others', () => {
  expect(Object.keys(tidemark).sort()).toMatchInlineSnapshot(`
    [
      "AbortedError",
      "Artifact",
      "ConflictError",
      "CorruptionError",
      "InvalidInputError",
      "LoggedArtifact",
      "LoggedArtifactAsset",
      "NotFoundError",
      "PermissionError",
      "RegisteredArtifact",
      "Tidemark",
      "TidemarkError",
      "UnavailableError",
      "UnsupportedError",
      "arrays",
      "callApi",
      "close",
      "collectGarbage",
      "connect",
      "createExperiment",
      "createProject",
      "deleteArtifact",
      "deleteProject",
      "disableLogging",
      "file",
      "folder",
      "getArtifact",
      "getArtifacts",
      "getColumns",
      "getExperiment",
      "getExperiments",
      "getMultiMetricChart",
      "getProjects",
      "getVersions",
      "getWorkspaces",
      "glob",
      "image",
      "isTidemarkError",
      "json",
      "memoryStore",
      "table",
      "text",
      "verify",
    ]
  `)
})
