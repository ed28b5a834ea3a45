import { checkName } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { ArtifactWire, PageReply, VersionWire } from '../../protocol/shapes.ts'
import { ArtifactLists } from '../artifacts/artifact-lists.ts'
import { Deletions } from '../artifacts/deletions.ts'
import { LineageLists } from '../artifacts/lineage-lists.ts'
import { type ArtifactPlace, artifactIdOf } from '../identifiers.ts'
import { Workspaces } from '../projects/workspaces.ts'
import { optional, required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { saved } from './comet-calls.ts'
import { metadataText } from './comet-metadata.ts'
import { parseArtifactId, parseVersionId } from './parse-identifiers.ts'

/** Comet's own name for the newest version. */
export const latestAlias = 'Latest'

const page = 1000

/** Lists, details, deletion and consumers. Comet's answers are known, of their addresses only some. */
export function cometArtifactListRoutes(router: Router, services: Services): void {
  const { artifacts, migration } = services
  const deletions = new Deletions(services)
  const lineage = new LineageLists(services)
  const lists = new ArtifactLists(services)
  const workspaces = new Workspaces(services)

  router.on('GET', `${restPrefix}/artifacts/get-all`, async ({ access, query }) => {
    const workspace = checkName(optional(query, 'workspaceName') ?? required(query, 'workspace'), 'workspace')
    access.require('reader', workspace)
    await workspaces.assertThere(workspace, access)
    const type = optional(query, 'artifactType')
    const found: object[] = []
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const options = {
        workspace,
        limit: page,
        ...(type !== undefined && { type }),
        ...(after !== undefined && { after }),
      }
      const list: PageReply<ArtifactWire> = await lists.list(options)
      for (const item of list.items) found.push(await summaryOf(item, services))
      after = list.next
    }
    return json({ artifacts: found })
  })
  router.on('GET', `${restPrefix}/artifacts/get`, async (call) => {
    const place = placeOf(call)
    call.access.require('reader', place.workspace)
    const head = await artifacts.head(place)
    const versions: VersionWire[] = []
    for (let after: number | undefined, more = true; more; more = after !== undefined) {
      const list: PageReply<VersionWire> = await lists.versionsOfAnyState(place, after, page)
      versions.push(...list.items)
      after = list.next === undefined ? undefined : Number(list.next)
    }
    const newest = versions.find(({ index }) => index === head.latest)
    return json({
      artifactId: artifactIdOf(place),
      project: newest?.project ?? null,
      type: head.type,
      name: place.name,
      description: head.description,
      latestVersion: newest?.version ?? null,
      tags: head.tags,
      isPublic: false,
      emoji: null,
      sizeInBytes: sizeOf(versions),
      versions: versions.map((one) => ({
        artifactVersionId: one.versionId,
        version: one.version,
        owner: place.workspace,
        metadata: metadataText(one.metadata),
        createdFrom: null,
        sizeInBytes: one.size,
        state: one.state,
        added: one.createdAt,
        alias: one.index === head.latest ? [...one.aliases, latestAlias] : one.aliases,
        tags: one.versionTags,
        experimentKey: one.experimentKey,
      })),
    })
  })
  router.on('GET', `${restPrefix}/artifacts/version/consumers`, async ({ access, query }) => {
    const { index, ...place } = parseVersionId(required(query, 'artifactVersionId'))
    access.require('reader', place.workspace)
    const { held } = await artifacts.resolve(place, index)
    await migration.ensure()
    const { consumers } = await lineage.of(place, index, held.record.content.experimentKey, access)
    return json({
      consumers: consumers.map(({ experimentKey, name, at }) => ({ experimentKey, experimentName: name, at })),
    })
  })
  router.on('GET', `${restPrefix}/write/artifacts/delete`, async (call) => {
    const place = placeOf(call)
    call.access.require('owner', place.workspace)
    if (!(await deletions.deleteArtifact(place))) await artifacts.head(place)
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('GET', `${restPrefix}/write/artifacts/version/delete`, async ({ access, query }) => {
    const { index, ...place } = parseVersionId(required(query, 'artifactVersionId'))
    access.require('owner', place.workspace)
    // Also one that was never closed: it is there to be deleted. One that is not there is named.
    if (!(await deletions.deleteVersion(place, index))) await artifacts.resolve(place, index)
    return json({ ...saved, msg: 'Deleted' })
  })
}

async function summaryOf(item: ArtifactWire, { artifacts }: Services): Promise<object> {
  const { workspace, name, latest } = item
  const newest = latest === null ? undefined : artifacts.wire(await artifacts.resolve({ workspace, name }, latest))
  return {
    artifactId: item.artifactId,
    project: newest?.project ?? null,
    type: item.type,
    name,
    description: item.description,
    versionsCount: item.versions,
    tags: item.tags,
    isPublic: false,
    emoji: null,
    sizeInBytes: newest?.size ?? 0,
  }
}

function sizeOf(versions: readonly VersionWire[]): number {
  return versions.reduce((sum, { size }) => sum + size, 0)
}

function placeOf({ query }: Call): ArtifactPlace {
  const id = optional(query, 'artifactId')
  if (id !== undefined) return parseArtifactId(id)
  const workspace = optional(query, 'workspaceName') ?? required(query, 'workspace')
  return { workspace: checkName(workspace, 'workspace'), name: checkName(required(query, 'artifactName')) }
}
