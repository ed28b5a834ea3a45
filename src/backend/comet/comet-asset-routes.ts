import { InvalidInputError, NotFoundError } from '../../errors.ts'
import { checkLogicalPath } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import { contentType, rangedReply } from '../artifacts/assets.ts'
import { OpenAssets } from '../artifacts/open-assets.ts'
import { OpenVersions } from '../artifacts/open-versions.ts'
import { Files } from '../experiments/files.ts'
import { KeptFiles } from '../experiments/kept-files.ts'
import { assetToJson } from '../experiments/run-parts.ts'
import type { RunAsset } from '../experiments/run-state.ts'
import { optional, required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { askedExperiment, countOf, flagOf, saved } from './comet-calls.ts'
import { metadataOfText } from './comet-metadata.ts'
import { readMultipart, textOfPart } from './multipart.ts'
import { parseVersionId } from './parse-identifiers.ts'

const largestMetadata = 1024 * 1024
const largestLink = 16 * 1024
const longestFileName = 1024

interface Received<Taken> {
  readonly fileName: string | undefined
  readonly link: string | undefined
  readonly metadata: string | null
  readonly mediaType: string
  /** What the taker of the file gave. */
  readonly taken: Taken | undefined
}

interface FileTaker<Taken> {
  take(file: { name: string | undefined; mediaType: string; body: AsyncIterable<Uint8Array> }): Promise<Taken>
  /** The file was taken, and the rest of the form is refused. */
  drop(taken: Taken): Promise<void>
}

/** Assets of experiments, as Comet's REST API v2 has them. Bytes go to the store while they arrive. */
export function cometAssetRoutes(router: Router, services: Services): void {
  const { runs, options } = services
  const files = new Files(options.blobs)
  const openAssets = new OpenAssets(services)
  const openVersions = new OpenVersions(services, openAssets)

  router.on('POST', `${restPrefix}/write/experiment/upload-asset`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    const versionId = optional(call.query, 'artifactVersionId')
    if (versionId !== undefined) return uploadToVersion(call, versionId)
    const asset = await receiveAsset(call, key)
    const overwrite = flagOf(call.query, 'overwrite')
    let replaced: readonly RunAsset[] = []
    await runs.append(key, {
      decide: ({ assets }) => {
        const isReplaced = (one: RunAsset) => one.id === asset.id || (overwrite && one.fileName === asset.fileName)
        replaced = [...assets.values()].filter((one) => isReplaced(one) && one.file !== asset.file)
        return { events: [['asset', assetToJson(asset), overwrite]], points: [] }
      },
      // Two that replace each other must see each other, lest the bytes of one stay for ever.
      lane: `asset ${asset.fileName}`,
      bytes: 1024 + (asset.metadata?.length ?? 0) + asset.pieces.length * 70,
    })
    await new KeptFiles(options).deleteFiles(key, replaced)
    return json({ ...saved, assetId: asset.id })
  })

  async function receiveAsset(call: Call, key: string): Promise<RunAsset> {
    const { query, request } = call
    const id = optional(query, 'assetId') ?? options.randomId()
    if (!/^[0-9a-zA-Z_-]{8,64}$/.test(id)) throw invalid("'assetId' is not 8 to 64 letters and digits")
    const inner = options.randomId()
    const [step, epoch, asked] = [countOf(query, 'step'), countOf(query, 'epoch'), optional(query, 'fileName')]
    const received = await receive(call, {
      take({ name, body }) {
        checkFileName(asked ?? name ?? 'remote')
        return files.write(key, inner, body, request.signal)
      },
      drop: ({ pieces }) => files.delete(key, inner, pieces.length),
    })
    const grouping = optional(query, 'groupingName')
    const stored = received.taken ?? { size: 0, pieces: [] }
    return {
      id: optional(query, 'assetId') === undefined ? inner : id,
      fileName: checkFileName(asked ?? received.fileName ?? baseName(received.link) ?? 'remote'),
      type: optional(query, 'type') ?? 'asset',
      size: stored.size,
      metadata: received.metadata,
      link: received.link ?? null,
      mediaType: received.mediaType,
      step,
      epoch,
      context: optional(query, 'context') ?? null,
      source: optional(query, 'source') ?? null,
      ...(grouping !== undefined && { grouping }),
      createdAt: options.now(),
      pieces: stored.pieces,
      file: inner,
    }
  }

  async function uploadToVersion(call: Call, versionId: string): Promise<Response> {
    const { query, request, access } = call
    const { index, ...place } = parseVersionId(versionId)
    access.require('writer', place.workspace)
    await openVersions.expect(place, index)
    // R's client puts a second slash behind a folder's name that ends with one.
    const asked = optional(query, 'fileName')?.replace(/\/{2,}/g, '/')
    const overwrite = flagOf(query, 'overwrite')
    // Metadata may follow the file in the form: the bytes are stored first, and become an asset when all is known.
    const received = await receive(call, {
      async take({ name, mediaType, body }) {
        const path = checkLogicalPath(asked ?? name ?? '')
        return openAssets.hold(place, index, { path, mediaType, body }, request.signal)
      },
      drop: ({ writer }) => writer.abandon(),
    })
    const metadata = metadataOfText(received.metadata ?? '', 'metadata')
    const { link, taken } = received
    if (link !== undefined) {
      const path = checkLogicalPath(asked ?? baseName(link) ?? 'remote')
      const held = await openAssets.holdRemote(place, index, { path, uri: link, mediaType: unknownType })
      await openAssets.add(held, metadata, overwrite)
    } else if (taken) await openAssets.add(taken, metadata, overwrite)
    await openVersions.assertTaken(place, index)
    return json(saved)
  }

  router.on('GET', `${restPrefix}/experiment/asset/list`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const type = optional(call.query, 'type') ?? 'all'
    const { assets } = await runs.read(key)
    const wanted = [...assets.values()].filter((asset) => type === 'all' || asset.type === type)
    return json({ assets: wanted.map((asset) => runAssetToComet(key, asset)) })
  })
  router.on('GET', `${restPrefix}/experiment/asset/get-by-name`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const [name, type] = [required(call.query, 'assetName'), optional(call.query, 'type') ?? 'all']
    const { assets } = await runs.read(key)
    const found = [...assets.values()].filter((one) => one.fileName === name && (type === 'all' || one.type === type))
    return json({ assets: found.map((asset) => runAssetToComet(key, asset)) })
  })
  router.on('GET', `${restPrefix}/write/experiment/asset/delete`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    const asset = await assetOf(services, key, required(call.query, 'assetId'))
    await runs.add(key, [['unasset', asset.id]])
    await new KeptFiles(options).deleteFiles(key, [asset])
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('POST', `${restPrefix}/write/experiment/git/patch`, async (call) => {
    const { key } = await askedExperiment(services, call, 'writer')
    const file = options.randomId()
    const received = await receive(call, {
      take: ({ body }) => files.write(key, file, body, call.request.signal),
      drop: ({ pieces }) => files.delete(key, file, pieces.length),
    })
    if (!received.taken) throw invalid('it holds no file')
    const { size, pieces } = received.taken
    const before = (await runs.read(key)).patch
    const patch: RunAsset = {
      id: file,
      file,
      fileName: received.fileName ?? 'git_diff.patch',
      type: 'git-patch',
      size,
      metadata: null,
      link: null,
      mediaType: received.mediaType,
      step: null,
      epoch: null,
      context: null,
      source: null,
      createdAt: options.now(),
      pieces,
    }
    await runs.append(key, {
      decide: () => ({ events: [['patch', assetToJson(patch)]], points: [] }),
      lane: 'patch',
      bytes: 1024 + pieces.length * 70,
    })
    if (before) await files.delete(key, before.file, before.pieces.length)
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiment/git/patch`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const { patch } = await runs.read(key)
    if (patch) return fileReply(services, key, patch, call.request)
    return rangedReply(call.request, { size: 0, etag: 'none', type: 'text/plain; charset=utf-8' }, async function* () {
      yield new Uint8Array(0)
    })
  })
}

/** The bytes of an asset of an experiment. */
export async function runAssetReply(
  services: Services,
  experiment: string,
  id: string,
  request: Request,
): Promise<Response> {
  const asset = await assetOf(services, experiment, id)
  if (asset.link === null) return fileReply(services, experiment, asset, request)
  throw new InvalidInputError(`'${asset.fileName}' is only linked: fetch it from ${asset.link}.`, {
    code: 'asset-is-remote',
    fields: { path: asset.fileName, uri: asset.link },
  })
}

function fileReply({ options }: Services, experiment: string, asset: RunAsset, request: Request): Promise<Response> {
  const { size, mediaType, file } = asset
  return rangedReply(request, { size, etag: file, type: contentType(mediaType) }, (start, end) =>
    new Files(options.blobs).read(experiment, file, asset, { start, end, signal: request.signal }),
  )
}

async function assetOf({ runs }: Services, experiment: string, id: string): Promise<RunAsset> {
  const asset = (await runs.read(experiment)).assets.get(id)
  if (asset) return asset
  throw new NotFoundError(`Experiment ${experiment} has no asset ${JSON.stringify(id.slice(0, 100))}.`, {
    code: 'asset-not-found',
    fields: { asset: id.slice(0, 100) },
  })
}

/** Reads a form: `file` or `link`, and `metadata`, in any order. */
async function receive<Taken>({ request }: Call, { take, drop }: FileTaker<Taken>): Promise<Received<Taken>> {
  let file: (Pick<Received<Taken>, 'fileName' | 'mediaType'> & { readonly taken: Taken }) | undefined
  let link: string | undefined
  let metadata: string | null = null
  try {
    for await (const part of readMultipart(request)) {
      if (part.name === 'metadata') metadata = await textOfPart(part, largestMetadata)
      else if (part.name === 'link') link = await textOfPart(part, largestLink)
      else if (part.name === 'file') {
        if (file) throw invalid('it holds more than one file')
        const mediaType = part.type?.split(';')[0].trim().toLowerCase() || unknownType
        const fileName = part.fileName === undefined ? undefined : (baseName(part.fileName) ?? part.fileName)
        file = { fileName, mediaType, taken: await take({ name: fileName, mediaType, body: part.body }) }
      }
    }
    if (link === '') throw invalid("its 'link' is empty")
    if (link === undefined && !file) throw invalid("it holds neither 'file' nor 'link'")
    if (link !== undefined && file) throw invalid("it holds both 'file' and 'link'")
  } catch (error) {
    // A collection of garbage finds what cannot be removed now.
    if (file) await drop(file.taken).catch(() => undefined)
    throw error
  }
  return { fileName: undefined, mediaType: unknownType, taken: undefined, ...file, link, metadata }
}

const unknownType = 'application/octet-stream'

/** An asset as Comet lists it. */
export function runAssetToComet(experiment: string, asset: RunAsset): object {
  const { id, fileName, type, size, metadata, link, step, context, createdAt, mediaType } = asset
  const slash = fileName.lastIndexOf('/')
  return {
    assetId: id,
    experimentKey: experiment,
    fileName,
    fileSize: size,
    remote: link !== null,
    link,
    type,
    metadata,
    dir: slash === -1 ? null : fileName.slice(0, slash),
    createdAt,
    step,
    runContext: context,
    canView: false,
    audio: mediaType.startsWith('audio/'),
    video: mediaType.startsWith('video/'),
    image: mediaType.startsWith('image/'),
    histogram: type === 'histogram_combined_3d',
    tags: [],
  }
}

function checkFileName(name: string): string {
  const short = name.length > 0 && name.length <= longestFileName
  if (short && !/\p{Cc}/u.test(name) && !/\p{Surrogate}/u.test(name)) return name
  throw new InvalidInputError(
    `The name of the file cannot be used: it is empty, longer than ${longestFileName} characters, or has control characters.`,
    { code: 'invalid-name' },
  )
}

/** As R's `basename`: the last segment that is not empty. */
function baseName(text: string | undefined): string | undefined {
  return text?.split(/[/\\]/).findLast((segment) => segment !== '')
}

function invalid(reason: string): InvalidInputError {
  return new InvalidInputError(`The request cannot be understood: ${reason}.`, { code: 'invalid-request' })
}
