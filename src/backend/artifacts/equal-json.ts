import type { JsonValue } from '../../protocol/shapes.ts'
import { isList, isObject } from '../shape.ts'

/** Equal as JSON, whatever the order of keys. */
export function isEqualJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true
  if (one === undefined || other === undefined) return false
  if (isList(one) && isList(other))
    return one.length === other.length && one.every((item, at) => isEqualJson(item, other[at]))
  if (!isObject(one) || !isObject(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqualJson(one[key], other[key]))
  )
}
