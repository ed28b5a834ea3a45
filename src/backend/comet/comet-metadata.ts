import { InvalidInputError } from '../../errors.ts'
import { jsonOfMetadata, metadataOfJson } from '../../protocol/list-metadata.ts'
import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import { requestShape } from '../shape.ts'

/** Metadata as Comet's clients send it, a string that holds JSON: an object or, from R, a list; `undefined` for an empty list, for null and for nothing. */
export function metadataOfText(text: string, field: string): Metadata | undefined {
  if (text === '') return undefined
  let parsed: JsonValue
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new InvalidInputError(`'${field}' is not JSON.`, { code: 'invalid-request', cause })
  }
  const metadata = metadataOfJson(parsed)
  if (metadata) return requestShape({ [field]: metadata }).optionalObject(field)
  if (parsed === null || Array.isArray(parsed)) return undefined
  throw new InvalidInputError(`The request cannot be understood: '${field}' is neither a JSON object nor a list.`, {
    code: 'invalid-request',
  })
}

/** As they are given it: they parse it themselves. */
export function metadataText(metadata: Metadata | null | undefined): string | null {
  return metadata ? JSON.stringify(jsonOfMetadata(metadata)) : null
}
