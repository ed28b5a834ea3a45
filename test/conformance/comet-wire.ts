import { beforeEach, describe, expect } from 'vitest'
import { project, type Wire, workspace } from './wire.ts'
import { wireArtifacts } from './wire-artifacts.ts'
import { wireAssets } from './wire-assets.ts'
import { wireBadInput } from './wire-bad-input.ts'
import { type Fetch, WireClient } from './wire-client.ts'
import { wireLogging } from './wire-logging.ts'
import { wireModels } from './wire-models.ts'
import { wireProjects } from './wire-projects.ts'
import { wirePython } from './wire-python.ts'

/** What `docs` say of Comet's REST API v2, asked as its R client asks it. `open` gives an empty server, and a key that may do everything. */
export function cometWireSuite(name: string, open: () => Promise<{ fetch: Fetch; base: string; key?: string }>): void {
  describe(`Comet's wire, ${name}`, () => {
    let client: WireClient
    let key: string
    const wire: Wire = {
      get client() {
        return client
      },
      get key() {
        return key
      },
      write: (path, body) => client.post(`/write/experiment/${path}`, { experimentKey: key, ...body }),
      read: (path, query = {}) => client.get(`/experiment/${path}`, { experimentKey: key, ...query }),
    }

    beforeEach(async () => {
      const { fetch, base, key: apiKey } = await open()
      client = new WireClient(fetch, base, apiKey)
      const made = await client.post('/write/experiment/create', {
        experimentName: 'first',
        projectName: project,
        workspaceName: workspace,
      })
      expect(made).toMatchObject({ workspaceName: workspace, projectName: project })
      expect(typeof made.link).toBe('string')
      key = String(made.experimentKey)
      await client.post('/write/experiment/log-other', {
        experimentKey: key,
        key: 'Created from',
        value: 'cometr',
        timestamp: 1_700_000_000_000,
      })
    })

    wireProjects(wire)
    wirePython(wire)
    wireLogging(wire)
    wireAssets(wire)
    wireModels(wire)
    wireArtifacts(wire)
    wireBadInput(wire)
  })
}
