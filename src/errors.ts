/** What an error is about: names, paths, digests - never a key, a token or a folder of someone's machine. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface ErrorOptions {
  /** Stable, kebab-case, append-only: the same on the wire, in logs and in tests. */
  code: string
  fields?: ErrorFields
  cause?: unknown
}

// Shared through the global registry, so that an error is recognised even when two copies of this package are loaded.
const brand = Symbol.for('tidemark.error')

/**
 * Every error Tidemark throws. Catch a category to act on it; read `code` to tell cases apart.
 *
 * @example
 * ```ts
 * import { isTidemarkError, NotFoundError } from 'tidemark'
 *
 * const error = new NotFoundError("No artifact 'flowers' in workspace 'default'. See which there are: tidemark ls.", { code: 'artifact-not-found' })
 * if (isTidemarkError(error)) console.log(error.category, error.code)
 * ```
 */
export class TidemarkError extends Error {
  readonly code: string
  readonly fields: ErrorFields
  readonly [brand] = true

  constructor(message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.fields = options.fields ?? {}
    this.name = new.target.category
  }

  static readonly category: ErrorCategory | 'TidemarkError' = 'TidemarkError'

  get category(): string {
    return this.name
  }

  /** Message, code and fields as JSON: what logs and `--json` print. */
  toJSON(): { name: string; code: string; message: string; fields: ErrorFields } {
    return { name: this.name, code: this.code, message: this.message, fields: this.fields }
  }
}

/** The caller gave something that can never work: an unknown option, a wrong type, a forbidden path. */
export class InvalidInputError extends TidemarkError {
  static override readonly category = 'InvalidInputError'
}

/** The artifact, version, alias, asset, file or experiment named does not exist. */
export class NotFoundError extends TidemarkError {
  static override readonly category = 'NotFoundError'
}

/** It exists already, or somebody else changed it first. */
export class ConflictError extends TidemarkError {
  static override readonly category = 'ConflictError'
}

/** The server or the operating system refuses. */
export class PermissionError extends TidemarkError {
  static override readonly category = 'PermissionError'
}

/** It may work later or elsewhere: no network, a full disk, a busy server. */
export class UnavailableError extends TidemarkError {
  static override readonly category = 'UnavailableError'
}

/** Stored or received bytes are not what was written. Never returned as data. */
export class CorruptionError extends TidemarkError {
  static override readonly category = 'CorruptionError'
}

/** This runtime or this version cannot do it. */
export class UnsupportedError extends TidemarkError {
  static override readonly category = 'UnsupportedError'
}

/** The caller's `signal` was aborted. */
export class AbortedError extends TidemarkError {
  static override readonly category = 'AbortedError'
}

const categories = {
  InvalidInputError,
  NotFoundError,
  ConflictError,
  PermissionError,
  UnavailableError,
  CorruptionError,
  UnsupportedError,
  AbortedError,
}

export type ErrorCategory = keyof typeof categories

/** True for errors of this package, whichever copy of it made them. */
export function isTidemarkError(value: unknown): value is TidemarkError {
  return typeof value === 'object' && value !== null && brand in value
}

/** Throws an `AbortedError` when the signal is aborted; call it before each step of long work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError('The operation was aborted.', { code: 'aborted', cause: signal.reason })
}

/** An error of the named category: how one that travelled as JSON becomes an object again. Unknown categories become `UnavailableError`. */
export function errorFromWire(category: string, message: string, options: ErrorOptions): TidemarkError {
  const Category = isCategory(category) ? categories[category] : UnavailableError
  return new Category(message, options)
}

function isCategory(name: string): name is ErrorCategory {
  return Object.hasOwn(categories, name)
}
