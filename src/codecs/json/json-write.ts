import { InvalidInputError } from '../../errors.ts'
import { toBase64 } from '../../protocol/base64.ts'
import { isPlainObject, isTypedArray } from '../capabilities.ts'
import { isExactly, isUint8Array } from '../realms.ts'
import { tagOf } from '../tag-of.ts'

/** The key that says an object stands for something JSON has no notation for. */
export const MARK = '$tidemark'
/** Levels of lists and objects in the text: the same everywhere. In a web worker of Chromium 156 the stack ends at some 750; people read no deeper than ten. */
const MAX_DEPTH = 256

/** Lists and objects of scalars stay on one line up to so many characters. */
const LINE_CHARACTERS = 100
/** Text is handed on in parts of about so many characters: no string grows without limit. */
const PART_CHARACTERS = 64 * 1024

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/**
 * A value as JSON text in parts; see `jsonCodec` for what becomes of values JSON does not know.
 *
 * @throws InvalidInputError naming the value that cannot be stored, `value.layers[2].activation`.
 */
export function writeJson(value: unknown): string[] {
  const writer = new JsonWriter()
  writer.value(value)
  return writer.finish()
}

/** One step into a value; written out only when there is something to say about the place. */
type Step = number | string | { readonly key: number } | { readonly get: string | number } | { readonly item: number }

function stepText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'string') return identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  if ('key' in step) return `.key(${step.key})`
  if ('item' in step) return `.item(${step.item})`
  return typeof step.get === 'string' ? `.get(${JSON.stringify(step.get)})` : `.get(key ${step.get})`
}

class JsonWriter {
  readonly #parts: string[] = []
  // Joined once: a string grown bit by bit is a tree that must be flattened.
  #texts: string[] = []
  #length = 0
  #depth = 0
  /** What is being written, outermost first: to find cycles and to name a place. */
  readonly #parents: object[] = []
  readonly #path: Step[] = []

  finish(): string[] {
    this.#parts.push(`${this.#texts.join('')}\n`)
    return this.#parts
  }

  value(value: unknown): void {
    const scalar = scalarText(value)
    if (scalar !== undefined) {
      this.#put(scalar)
      return
    }
    if (typeof value !== 'object' || value === null) throw this.#refused(value)
    if (this.#parents.includes(value)) throw this.#cycle()
    this.#parents.push(value)
    if (Array.isArray(value)) this.#list(value)
    else if (isTypedArray(value) || isRaw(value)) this.#marked(typedName(value), typedContent(value))
    else if (isExactly(value, 'Map')) this.#map(value)
    else if (isExactly(value, 'Set')) this.#set(value)
    else if (isPlainObject(value)) this.#object(value)
    else throw this.#refused(value)
    this.#parents.pop()
  }

  #list(values: readonly unknown[]): void {
    this.#block('[', ']', values.length, lineOf(values), (index) => {
      this.#at(index, values[index])
    })
  }

  #object(value: Readonly<Record<string, unknown>>): void {
    const symbol = Object.getOwnPropertySymbols(value)[0]
    if (symbol !== undefined) throw this.#refused(symbol)
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    if (keys.includes(MARK)) {
      this.#mark('object', () => this.#entries(keys.map((key) => [key, value[key]])))
      return
    }
    this.#block('{', '}', keys.length, lineOfObject(keys, value), (index) => {
      const key = keys[index] ?? ''
      this.#put(`${JSON.stringify(key)}: `)
      this.#at(key, value[key])
    })
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.#mark('Map', () => this.#entries([...value]))
  }

  #entries(entries: readonly (readonly [unknown, unknown])[]): void {
    this.#block('[', ']', entries.length, undefined, (index) => {
      const entry = entries[index] ?? []
      const [key] = entry
      this.#block('[', ']', 2, lineOf(entry), (side) => {
        this.#at(side === 0 ? { key: index } : { get: typeof key === 'string' ? key : index }, entry[side])
      })
    })
  }

  #set(value: ReadonlySet<unknown>): void {
    const values = [...value]
    this.#mark('Set', () => {
      this.#block('[', ']', values.length, lineOf(values), (index) => {
        this.#at({ item: index }, values[index])
      })
    })
  }

  #marked(name: string, content: string): void {
    this.#put(`{"${MARK}": ["${name}", ${content}]}`)
  }

  #mark(name: string, content: () => void): void {
    this.#put(`{"${MARK}": ["${name}", `)
    // The brackets of the mark are levels of the text as well.
    this.#depth += 2
    content()
    this.#depth -= 2
    this.#put(']}')
  }

  /** Brackets around so many entries: on the one line given, or one entry a line. */
  #block(open: string, close: string, count: number, line: string | undefined, entry: (index: number) => void): void {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw this.#tooDeep()
    if (line !== undefined) {
      this.#put(`${open}${line}${close}`)
    } else {
      const indent = `\n${'  '.repeat(this.#depth)}`
      this.#put(open)
      for (let index = 0; index < count; index += 1) {
        this.#put(index === 0 ? indent : `,${indent}`)
        entry(index)
      }
      this.#put(`${indent.slice(0, -2)}${close}`)
    }
    this.#depth -= 1
  }

  #at(step: Step, value: unknown): void {
    this.#path.push(step)
    this.value(value)
    this.#path.pop()
  }

  #put(text: string): void {
    this.#texts.push(text)
    this.#length += text.length
    if (this.#length < PART_CHARACTERS) return
    this.#parts.push(this.#texts.join(''))
    this.#texts = []
    this.#length = 0
  }

  #refused(value: unknown): InvalidInputError {
    const path = this.#place()
    return new InvalidInputError(
      `${path} is ${describe(value)}, which JSON cannot hold. Store what it stands for - a number, a string, a plain object - or leave it out.`,
      { code: 'unsupported-value', fields: { path } },
    )
  }

  #cycle(): InvalidInputError {
    const path = this.#place()
    return new InvalidInputError(`${path} contains itself. Leave the back reference out.`, {
      code: 'cyclic-value',
      fields: { path },
    })
  }

  #tooDeep(): InvalidInputError {
    // The whole path would be as long as the value is deep.
    const path = `value${this.#path.slice(0, 5).map(stepText).join('')}…`
    return new InvalidInputError(`${path} is nested more than ${MAX_DEPTH} levels deep. Flatten it.`, {
      code: 'too-deep',
      fields: { path },
    })
  }

  #place(): string {
    return `value${this.#path.map(stepText).join('')}`
  }
}

/** What needs no brackets of its own but a mark at most. */
function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      return isOrdinary(value) ? String(value) : `{"${MARK}": "${numberName(value)}"}`
    case 'undefined':
      return `{"${MARK}": "undefined"}`
    case 'bigint':
      return `{"${MARK}": ["bigint", "${value}"]}`
    default:
      if (value === null) return 'null'
      return isExactly(value, 'Date') ? `{"${MARK}": ["Date", ${JSON.stringify(dateText(value))}]}` : undefined
  }
}

function dateText(date: Date): string | null {
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function isOrdinary(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0)
}

function numberName(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Scalars on one line, if they fit. */
function lineOf(values: readonly unknown[]): string | undefined {
  return lineOfTexts(values.length, (index) => scalarText(values[index]))
}

function lineOfObject(keys: readonly string[], value: Readonly<Record<string, unknown>>): string | undefined {
  return lineOfTexts(keys.length, (index) => {
    const key = keys[index] ?? ''
    const text = scalarText(value[key])
    return text === undefined ? undefined : `${JSON.stringify(key)}: ${text}`
  })
}

function lineOfTexts(count: number, text: (index: number) => string | undefined): string | undefined {
  let line = ''
  for (let index = 0; index < count; index += 1) {
    const entry = text(index)
    if (entry === undefined) return undefined
    line += index === 0 ? entry : `, ${entry}`
    if (line.length > LINE_CHARACTERS) return undefined
  }
  return line
}

function isRaw(value: object): value is ArrayBuffer | DataView {
  return isExactly(value, 'ArrayBuffer') || isExactly(value, 'DataView')
}

function typedName(value: ArrayBufferView | ArrayBuffer): string {
  return ArrayBuffer.isView(value) ? tagOf(value) : 'ArrayBuffer'
}

function typedContent(value: ArrayBuffer | DataView | (ArrayBufferView & ArrayLike<number | bigint>)): string {
  if (!ArrayBuffer.isView(value)) return `"${toBase64(new Uint8Array(value))}"`
  if (isUint8Array(value)) return `"${toBase64(value)}"`
  if (!('length' in value)) return `"${toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}"`
  return `[${Array.from(value, elementText).join(', ')}]`
}

function elementText(element: number | bigint): string {
  if (typeof element === 'bigint') return `"${element}"`
  return isOrdinary(element) ? String(element) : `"${numberName(element)}"`
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol, or has one as a key'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object of a class'
}
