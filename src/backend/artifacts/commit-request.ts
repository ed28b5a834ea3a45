import { readPackIndex } from '../../content/pack.ts'
import { InvalidInputError, isTidemarkError } from '../../errors.ts'
import { checkName, checkSemanticVersion } from '../../paths.ts'
import { fromBase64 } from '../../protocol/base64.ts'
import { isPackId, ownPack, parseChunkRef } from '../../protocol/chunk-ref.ts'
import { type CommitRequest, type JsonValue, largestInlinePack } from '../../protocol/shapes.ts'
import { requestShape } from '../shape.ts'
import { checkAliases, checkTags } from './selector.ts'

/** A checked commit: names in their stored spelling, the small pack as bytes. */
export interface Commit extends Omit<CommitRequest, 'inlinePack' | 'aliases' | 'versionTags'> {
  readonly aliases: readonly string[]
  readonly versionTags: readonly string[]
  readonly inlinePack?: Uint8Array
}

// What a user writes as a description fits many times over; a record is read whole, so it has to end somewhere.
const longestDescription = 64 * 1024

/**
 * Checks all that can be checked without the store.
 *
 * @throws InvalidInputError `invalid-request`, `invalid-name`, `invalid-alias`, `invalid-version`
 */
export function parseCommit(json: JsonValue | undefined): Commit {
  const shape = requestShape(json)
  const writeId = shape.text('writeId')
  if (!/^[\w.:-]{8,128}$/.test(writeId))
    throw shape.refuse("'writeId' is not 8 to 128 letters, digits, '-', '_', '.' or ':'")
  const manifest = shape.has('manifest') ? parseChunkRef(shape.raw('manifest')) : null
  if (manifest === undefined) throw shape.refuse("'manifest' is not a reference to a page")
  const encoded = shape.optionalText('inlinePack')
  const inlinePack = encoded === undefined ? undefined : parsePack(encoded)
  if (!inlinePack && (manifest?.pack === ownPack || manifest?.base?.pack === ownPack))
    throw shape.refuse("'manifest' lies in a small pack, but there is no 'inlinePack'")
  const packs = [...new Set(shape.texts('packs'))]
  if (!packs.every(isPackId)) throw shape.refuse("'packs' are not 64 hexadecimal digits each")
  const digest = shape.text('digest')
  if (!isPackId(digest)) throw shape.refuse("'digest' is not 64 hexadecimal digits")
  const [count, remoteCount] = [shape.count('count'), shape.count('remoteCount')]
  if (manifest === null && count + remoteCount > 0) throw shape.refuse("there are assets, but no 'manifest' of them")
  const description = shape.optionalText('description')
  if (description !== undefined && description.length > longestDescription)
    throw shape.refuse(`'description' is longer than ${longestDescription} characters`)
  const base = shape.optionalShape('base')
  const version = shape.optionalText('version')
  const project = shape.optionalText('project')
  const experimentKey = shape.optionalText('experimentKey')
  const metadata = shape.optionalObject('metadata')
  const assetsDiffer = shape.optionalFlag('assetsDiffer')
  const commit: Commit = {
    writeId,
    type: checkName(shape.text('type'), 'type'),
    aliases: checkAliases(shape.optionalTexts('aliases') ?? []),
    versionTags: checkTags(shape.optionalTexts('versionTags') ?? []),
    digest,
    size: shape.count('size'),
    count,
    remoteCount,
    manifest,
    packs,
    ...(experimentKey !== undefined && { experimentKey }),
    ...(project !== undefined && { project: checkName(project, 'project') }),
    ...(description !== undefined && { description }),
    ...(version !== undefined && { version: checkSemanticVersion(version) }),
    ...(metadata !== undefined && { metadata }),
    ...(assetsDiffer && { assetsDiffer }),
    ...(inlinePack && { inlinePack }),
    ...(base && {
      base: {
        workspace: checkName(base.text('workspace'), 'workspace'),
        name: checkName(base.text('name')),
        index: base.count('index'),
      },
    }),
  }
  base?.done()
  shape.done()
  return commit
}

function parsePack(encoded: string): Uint8Array {
  // Base64 makes four characters of three bytes.
  if (encoded.length > (largestInlinePack * 4) / 3 + 4) throw tooLarge()
  const pack = fromBase64(encoded)
  if (pack.length > largestInlinePack) throw tooLarge()
  try {
    readPackIndex(pack)
  } catch (cause) {
    if (!isTidemarkError(cause)) throw cause
    throw new InvalidInputError("'inlinePack' is not a pack.", { code: 'invalid-request', cause })
  }
  return pack
}

function tooLarge(): InvalidInputError {
  return new InvalidInputError(
    `'inlinePack' is larger than ${largestInlinePack} bytes: send it as a pack of its own.`,
    {
      code: 'invalid-request',
    },
  )
}
