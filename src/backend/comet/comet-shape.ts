import type { JsonValue } from '../../protocol/shapes.ts'
import { isObject, refuseRequest, Shape } from '../shape.ts'

/**
 * A body as scripting languages write it: R's client sends a list of one as the one alone, leaves an empty one out or writes `{}`, and a name or a flag with
 * whatever type the script gave it.
 */
export class CometShape extends Shape {
  constructor(json: JsonValue | undefined) {
    // R writes an object with nothing in it as an empty list.
    super(Array.isArray(json) && json.length === 0 ? {} : json, refuseRequest)
  }

  override optionalText(field: string): string | undefined {
    const value = this.raw(field)
    return isScalar(value) ? String(value) : super.optionalText(field)
  }

  override optionalTexts(field: string): string[] | undefined {
    const value = this.raw(field)
    if (isScalar(value)) return [String(value)]
    if (isObject(value) && Object.keys(value).length === 0) return []
    // R's NA is null.
    if (Array.isArray(value) && value.every((one) => one === null || isScalar(one)))
      return value.filter(isScalar).map(String)
    return super.optionalTexts(field)
  }

  override optionalFlag(field: string): boolean | undefined {
    const value = this.raw(field)
    if (typeof value !== 'string' || !/^(true|false)$/i.test(value)) return super.optionalFlag(field)
    return value.toLowerCase() === 'true'
  }

  /** Times that were computed have fractions. */
  override optionalCount(field: string): number | undefined {
    const value = this.raw(field)
    const number = typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : value
    return typeof number === 'number' && number >= 0 && number <= Number.MAX_SAFE_INTEGER
      ? Math.floor(number)
      : super.optionalCount(field)
  }

  /** A text, or its lines. */
  optionalLines(field: string): string | undefined {
    return this.optionalTexts(field)?.join('\n')
  }
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
