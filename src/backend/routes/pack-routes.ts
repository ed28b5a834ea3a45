import { openDigester } from '../../content/digest.ts'
import { packFooter, readPackIndex, verifyPack } from '../../content/pack.ts'
import { InvalidInputError, isTidemarkError } from '../../errors.ts'
import { checkName } from '../../paths.ts'
import { isPackId, parseRecordPackName } from '../../protocol/chunk-ref.ts'
import { routes } from '../../protocol/routes.ts'
import { type HaveReply, largestPack } from '../../protocol/shapes.ts'
import { Packs } from '../collection/packs.ts'
import { type StoredChunks, storedChunks } from '../collection/stored-chunks.ts'
import { eachOf } from '../each-of.ts'
import type { Services } from '../services.ts'
import { requestShape } from '../shape.ts'
import { readBytes, readJson } from './body.ts'
import { contentRange, parseRange, spanOf } from './byte-range.ts'
import { bytesReply } from './bytes-reply.ts'
import { assertQuery } from './query.ts'
import { json } from './reply.ts'
import type { Call, Router } from './router.ts'

const mostAsked = 4096
const largestHave = 512 * 1024

// An index of the most and smallest chunks that fit: beyond the chunks themselves a pack is never longer than this.
const packOverhead = 1024 * 1024

/** Packs: what is too large to travel in the request that makes a version. */
export function packRoutes(router: Router, services: Services): void {
  const packs = new Packs(services)
  const path = `${routes.pack('')}:pack`
  router.on('POST', routes.have(), async ({ request, query, access }) => {
    assertQuery(query, [])
    access.requireAnywhere('writer')
    const shape = requestShape(await readJson(request, largestHave))
    const asked = shape.texts('packs')
    shape.done()
    if (asked.length > mostAsked || !asked.every(isPackId))
      throw shape.refuse(`'packs' are not at most ${mostAsked} names of 64 hexadecimal digits`)
    const list = await services.condemned.read()
    const there = await eachOf(asked, (pack) => packs.isSafe(pack, list.packs))
    const reply: HaveReply = { missing: asked.filter((_, at) => !there[at]) }
    return json(reply)
  })
  router.on('PUT', path, (call) => putPack(call, packs, services))
  router.on('GET', path, (call) => getPack(call, storedChunks(services)))
}

async function putPack({ request, params, access }: Call, packs: Packs, { options }: Services): Promise<Response> {
  // Packs belong to no workspace: their names cannot be guessed, and a version refers to them.
  access.requireAnywhere('writer')
  const { pack } = params
  if (!isPackId(pack)) throw invalidPack(pack, '64 hexadecimal digits')
  const bytes = await readBytes(request, largestPack + packOverhead)
  await (options.trusted ? verifyName : verifyPack)(bytes, pack).catch(blameSender)
  await packs.put(pack, bytes, request.signal)
  return json({})
}

/** What is wrong with bytes that were sent is no damage of the store. */
function blameSender(error: unknown): never {
  if (!isTidemarkError(error) || error.category !== 'CorruptionError') throw error
  const { code, fields, message } = error
  throw new InvalidInputError(
    `${message} It was damaged on its way, or before: send it again. Nothing of it is kept.`,
    {
      code,
      fields,
      cause: error,
    },
  )
}

/** Structure and name alone: the name is the digest of the index, which is short. */
async function verifyName(bytes: Uint8Array, pack: string): Promise<void> {
  const { id } = packFooter(readPackIndex(bytes), await openDigester())
  if (id !== pack) throw invalidPack(pack, `these bytes are ${id}`)
}

async function getPack({ request, params, access }: Call, chunks: StoredChunks): Promise<Response> {
  const { pack } = params
  const place = parseRecordPackName(pack)
  if (place) access.require('reader', place.workspace)
  else access.requireAnywhere('reader')
  if (place) {
    checkName(place.workspace, 'workspace')
    checkName(place.name)
  } else if (!isPackId(pack)) throw invalidPack(pack, "64 hexadecimal digits, or '@workspace/name:index'")
  const headers = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    etag: `"${encodeURIComponent(pack)}"`,
  }
  const { signal } = request
  const asked = parseRange(request.headers.get('range'))
  if (!asked) return bytesReply((await chunks.range(pack, 0, undefined, signal)).bytes, 200, headers)
  if ('suffix' in asked) {
    const { size } = await chunks.range(pack, 0, 0, signal)
    const span = spanOf(asked, size)
    const { bytes } = await chunks.range(pack, span.start, span.end, signal)
    return bytesReply(bytes, 206, { ...headers, 'content-range': contentRange(span, size) })
  }
  const { bytes, size } = await chunks.range(pack, asked.start, asked.end, signal)
  return bytesReply(bytes, 206, { ...headers, 'content-range': contentRange(spanOf(asked, size), size) })
}

function invalidPack(pack: string, form: string): InvalidInputError {
  return new InvalidInputError(`${JSON.stringify(pack.slice(0, 200))} is not the name of a pack: ${form}.`, {
    code: 'invalid-pack-name',
  })
}
