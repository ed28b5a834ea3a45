import { InvalidInputError, NotFoundError } from '../../errors.ts'
import { checkName } from '../../paths.ts'
import { routes, tidemarkPrefix } from '../../protocol/routes.ts'
import { ArtifactLists, artifactToWire } from '../artifacts/artifact-lists.ts'
import { placeText } from '../artifacts/artifact-records.ts'
import { Deletions } from '../artifacts/deletions.ts'
import { LineageLists } from '../artifacts/lineage-lists.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { assertQuery, limitOf, optional } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'
import { placeNamed, placeOf } from './version-routes.ts'

/** Lists and details of artifacts, their lineage, their deletion. */
export function artifactRoutes(router: Router, services: Services): void {
  const { artifacts, migration } = services
  const deletions = new Deletions(services)
  const lineage = new LineageLists(services)
  const lists = new ArtifactLists(services)
  const artifact = `${routes.artifacts()}/:workspace/:name`

  router.on('GET', routes.artifacts(), async ({ query, access }) => {
    assertQuery(query, ['workspace', 'type', 'after', 'limit'])
    const workspace = optional(query, 'workspace')
    if (workspace === undefined) access.requireAnywhere('reader')
    else access.require('reader', workspace)
    const shows = (one: string) => access.may('reader', one)
    const options = { shows, type: optional(query, 'type'), after: afterOf(query), limit: limitOf(query) }
    return json(
      await lists.list(
        workspace === undefined ? options : { ...options, workspace: checkName(workspace, 'workspace') },
      ),
    )
  })
  router.on('GET', artifact, async (call) => {
    assertQuery(call.query, [])
    const place = placeOf(call, 'reader')
    return json(artifactToWire(place, await artifacts.head(place)))
  })
  router.on('DELETE', artifact, async (call) => {
    assertQuery(call.query, [])
    const place = placeOf(call, 'owner')
    if (!(await deletions.deleteArtifact(place))) await artifacts.head(place)
    return json({})
  })
  router.on('GET', `${artifact}/versions/:index`, async (call) => {
    assertQuery(call.query, [])
    return json(artifacts.wire(await artifacts.resolve(placeOf(call, 'reader'), indexOf(call.params.index))))
  })
  router.on('GET', `${artifact}/versions/:index/lineage`, async (call) => {
    assertQuery(call.query, [])
    const place = placeOf(call, 'reader')
    const index = indexOf(call.params.index)
    const { held } = await artifacts.resolve(place, index)
    await migration.ensure()
    return json(await lineage.of(place, index, held.record.content.experimentKey, call.access))
  })
  router.on('DELETE', `${artifact}/versions/:index`, async (call) => {
    assertQuery(call.query, [])
    // Who may make versions may thin them out.
    const place = placeOf(call, 'writer')
    const index = indexOf(call.params.index)
    if (!(await deletions.deleteVersion(place, index))) throw await gone(services, place, index)
    return json({})
  })
}

async function gone({ artifacts }: Services, place: ArtifactPlace, index: number): Promise<NotFoundError> {
  // Says more when the artifact itself is not there.
  await artifacts.head(place)
  return new NotFoundError(`${placeText(place)} has no version 'v${index}', or has it no more.`, {
    code: 'version-not-found',
    fields: { artifact: placeText(place), version: `v${index}` },
  })
}

function indexOf(text: string): number {
  if (/^(0|[1-9]\d{0,9})$/.test(text)) return Number(text)
  throw new InvalidInputError(
    `'${text.slice(0, 100)}' is not the index of a version. Aliases and numbers: ${tidemarkPrefix}/.../versions?select=.`,
    {
      code: 'invalid-request',
    },
  )
}

function afterOf(query: URLSearchParams): string | undefined {
  const after = optional(query, 'after')
  if (after === undefined) return undefined
  const [workspace, name, ...rest] = after.split('/')
  if (name === undefined || rest.length > 0)
    throw new InvalidInputError("'after' is not the 'next' of a page.", { code: 'invalid-request' })
  return placeText(placeNamed({ workspace, name }))
}
