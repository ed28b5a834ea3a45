/**
 * A value as JSON that says exactly what it is: what JSON numbers cannot hold - whole numbers of 64 bits, NaN, infinities, -0 - as text, times as ISO 8601,
 * bytes in base64.
 */
export function exactJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (Array.isArray(value)) return value.map(exactJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, exactJson(inner)]))
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
