import type { JsonValue } from '../../protocol/shapes.ts'
import type { Shape } from '../shape.ts'

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}

export function refuse(shape: Shape): never {
  throw shape.refuse('what an experiment logged is not as it should be')
}
