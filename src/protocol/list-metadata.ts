import type { JsonValue, Metadata } from './shapes.ts'

// R's clients may give a list without names as metadata. It is kept as the one value of an object, under a name that nobody gives.
const ofList = ''

/** What is kept of metadata that came as JSON; `undefined` for what is neither an object nor a list with something in it. */
export function metadataOfJson(value: JsonValue): Metadata | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!isList(value)) return value
  return value.length > 0 ? { [ofList]: value } : undefined
}

/** The JSON that it came as. */
export function jsonOfMetadata(metadata: Metadata): JsonValue {
  const list = Object.keys(metadata).length === 1 ? metadata[ofList] : undefined
  return list !== undefined && isList(list) ? list : metadata
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
