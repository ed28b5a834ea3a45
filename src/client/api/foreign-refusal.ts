import {
  ConflictError,
  errorFromWire,
  InvalidInputError,
  NotFoundError,
  PermissionError,
  type TidemarkError,
} from '../../errors.ts'
import { sentence } from './sentence.ts'
import { categoryOf } from './status-category.ts'

/** Comet's `sdk_error_code`s that are about something missing, taken or closed. */
const cometCodes: ReadonlyMap<number, readonly [category: string, code: string]> = new Map([
  [624522, [NotFoundError.category, 'artifact-not-found']],
  [624523, [NotFoundError.category, 'version-not-found']],
  [90211, [NotFoundError.category, 'experiment-not-found']],
  [90399, [ConflictError.category, 'version-exists']],
  [90999, [ConflictError.category, 'experiment-exists']],
  [90401, [ConflictError.category, 'version-immutable']],
  [90402, [ConflictError.category, 'version-not-closed']],
  [90403, [ConflictError.category, 'version-failed']],
  [90210, [PermissionError.category, 'no-write-access']],
  [90410, [InvalidInputError.category, 'invalid-state']],
  [90219, [NotFoundError.category, 'workspace-not-found']],
  [90212, [PermissionError.category, 'unknown-api-key']],
])

const hints: Readonly<Partial<Record<string, string>>> = {
  UnavailableError: ' Try again later.',
  PermissionError: ' Check the API key.',
}

/** An answer that none of our servers gave. `mark` says that the same request may succeed later. */
export function foreignRefusal({ what, status, msg, sdkErrorCode, mark }: ForeignRefusal): TidemarkError {
  const category = categoryOf(status)
  const message = msg
    ? sentence(`${what} was refused: ${msg}`)
    : `${what} was answered with status ${status}.${hints[category] ?? ''}`
  const known = sdkErrorCode === undefined ? undefined : cometCodes.get(sdkErrorCode)
  if (known) return errorFromWire(known[0], message, { code: known[1], fields: { status } })
  return errorFromWire(category, message, { code: 'request-failed', fields: { status, ...mark } })
}

interface ForeignRefusal {
  /** What was asked. */
  readonly what: string
  readonly status: number
  readonly msg: string | undefined
  readonly sdkErrorCode: number | undefined
  readonly mark: { readonly transient?: boolean }
}
