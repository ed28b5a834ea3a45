import { CorruptionError, InvalidInputError, type TidemarkError } from '../errors.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'

// Deeper JSON overflows the stack of whoever walks it recursively, JSON.stringify included.
const deepestJson = 64

type Refuse = (reason: string) => TidemarkError
type Json = { readonly [key: string]: JsonValue }

/** Reads the fields of a JSON object one by one, each with its type, and refuses what does not fit by name. */
export class Shape {
  readonly #json: Json
  readonly #refuse: Refuse
  readonly #read = new Set<string>()

  constructor(json: JsonValue | undefined, refuse: Refuse) {
    if (!isObject(json)) throw refuse('it is not a JSON object')
    this.#json = json
    this.#refuse = refuse
  }

  /** The value of a field, `undefined` when it is absent or null. */
  raw(field: string): JsonValue | undefined {
    this.#read.add(field)
    return Object.hasOwn(this.#json, field) ? (this.#json[field] ?? undefined) : undefined
  }

  has(field: string): boolean {
    return this.raw(field) !== undefined
  }

  optionalText(field: string): string | undefined {
    const value = this.raw(field)
    if (value === undefined || typeof value === 'string') return value
    throw this.#refuse(`'${field}' is not a string`)
  }

  text(field: string): string {
    return this.optionalText(field) ?? this.#missing(field)
  }

  optionalCount(field: string): number | undefined {
    const value = this.raw(field)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw this.#refuse(`'${field}' is not a whole number from 0`)
  }

  count(field: string): number {
    return this.optionalCount(field) ?? this.#missing(field)
  }

  optionalFlag(field: string): boolean | undefined {
    const value = this.raw(field)
    if (value === undefined || typeof value === 'boolean') return value
    throw this.#refuse(`'${field}' is not true or false`)
  }

  optionalTexts(field: string): string[] | undefined {
    const value = this.raw(field)
    if (value === undefined) return undefined
    if (isList(value)) {
      const texts = value.filter((one) => typeof one === 'string')
      if (texts.length === value.length) return texts
    }
    throw this.#refuse(`'${field}' is not an array of strings`)
  }

  texts(field: string): string[] {
    return this.optionalTexts(field) ?? this.#missing(field)
  }

  optionalObject(field: string): Metadata | undefined {
    const value = this.raw(field)
    if (value === undefined) return undefined
    if (!isObject(value)) throw this.#refuse(`'${field}' is not an object`)
    if (isDeeperThan(value, deepestJson)) throw this.#refuse(`'${field}' is nested deeper than ${deepestJson} levels`)
    return value
  }

  optionalShape(field: string): Shape | undefined {
    const value = this.raw(field)
    return value === undefined ? undefined : new Shape(value, (reason) => this.#refuse(`in '${field}' ${reason}`))
  }

  list(field: string): readonly JsonValue[] {
    const value = this.raw(field)
    if (value !== undefined && isList(value)) return value
    throw this.#refuse(`'${field}' is not an array`)
  }

  refuse(reason: string): TidemarkError {
    return this.#refuse(reason)
  }

  /** Refuses the first field that was not read. */
  done(): void {
    for (const field of Object.keys(this.#json))
      if (!this.#read.has(field)) throw this.#refuse(`there is no field ${JSON.stringify(field.slice(0, 100))}`)
  }

  #missing(field: string): never {
    throw this.#refuse(`'${field}' is missing`)
  }
}

/** The shape of a request's body. */
export function requestShape(json: JsonValue | undefined): Shape {
  return new Shape(json, refuseRequest)
}

export function refuseRequest(reason: string): InvalidInputError {
  return new InvalidInputError(`The request cannot be understood: ${reason}.`, { code: 'invalid-request' })
}

/** The shape of a record: its checksum was right, so a wrong shape means that something else was put in its place. */
export function recordShape(json: JsonValue, what: string): Shape {
  return new Shape(
    json,
    (reason) =>
      new CorruptionError(`${what} is damaged: ${reason}. Restore it from a copy of the store.`, {
        code: 'record-damaged',
        fields: { what },
      }),
  )
}

export function isObject(value: JsonValue | undefined): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

export function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((inner: JsonValue) => isDeeperThan(inner, levels - 1))
}
