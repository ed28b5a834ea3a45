import type { Metadata } from '../protocol/shapes.ts'

/** Metadata travels as a string that holds JSON. Undefined when there is none, or when somebody stored something else than an object. */
export function parseWireMetadata(text: string | null | undefined): Metadata | undefined {
  if (text === null || text === undefined || text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch (error) {
    // Any client may have stored any text.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isObject(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
