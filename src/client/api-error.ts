import {
  AbortedError,
  ConflictError,
  errorFromWire,
  InvalidInputError,
  isTidemarkError,
  NotFoundError,
  PermissionError,
  type TidemarkError,
  UnavailableError,
} from '../errors.ts'
import { reasonOf } from './reason.ts'

/** Statuses after which the same request may succeed: RFC 9110, RFC 6585. */
const transientStatuses: readonly number[] = [408, 425, 429, 502, 503, 504]

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

/** What fetch or the reading of a body threw, as one of our errors. `what` says what was asked, without keys. */
export async function toClientError(
  error: unknown,
  what: string,
  signal: AbortSignal | undefined,
  remote: boolean,
): Promise<TidemarkError> {
  if (isTidemarkError(error)) return error
  if (signal?.aborted) return new AbortedError(`${what} was aborted.`, { code: 'aborted', cause: signal.reason })
  return new UnavailableError(`${what} failed: ${reasonOf(error)}. Check the address and the network.`, {
    code: 'no-connection',
    fields: { transient: remote },
    cause: error,
  })
}

/** An answer with a status that says it was not done, as one of our errors. */
export async function refusal(response: Response, what: string, remote: boolean): Promise<TidemarkError> {
  const { status } = response
  const transient = remote && transientStatuses.includes(status)
  const { msg, sdkErrorCode, ours } = readEnvelope(await response.text())
  const mark = transient ? { transient } : {}
  if (ours) return errorFromWire(ours.category, msg ?? what, { code: ours.code, fields: { ...ours.fields, ...mark } })
  const message = msg ? `${what} was refused: ${msg}` : `${what} was answered with status ${status}.`
  const known = sdkErrorCode === undefined ? undefined : cometCodes.get(sdkErrorCode)
  if (known) return errorFromWire(known[0], message, { code: known[1], fields: { status } })
  return errorFromWire(categoryOf(status), message, { code: 'request-failed', fields: { status, ...mark } })
}

/** Of an answer that says no more than its status. */
export function categoryOf(status: number): string {
  if (status === 401 || status === 403) return PermissionError.category
  if (status === 404 || status === 410) return NotFoundError.category
  if (status === 409 || status === 412) return ConflictError.category
  if (status >= 500 || transientStatuses.includes(status)) return UnavailableError.category
  return InvalidInputError.category
}

interface Envelope {
  readonly msg?: string
  readonly sdkErrorCode?: number
  readonly ours?: {
    category: string
    code: string
    fields: Record<string, string | number | boolean | readonly string[]>
  }
}

function readEnvelope(text: string): Envelope {
  const body = asRecord(parse(text))
  const { category, code, fields } = asRecord(body.tidemark)
  return {
    msg: typeof body.msg === 'string' ? body.msg : undefined,
    sdkErrorCode: typeof body.sdk_error_code === 'number' ? body.sdk_error_code : undefined,
    ours:
      typeof category === 'string' && typeof code === 'string'
        ? { category, code, fields: plainFields(fields) }
        : undefined,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy's HTML page: the status says what there is to say.
    return undefined
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function plainFields(value: unknown): Record<string, string | number | boolean | readonly string[]> {
  const fields: Record<string, string | number | boolean | readonly string[]> = {}
  for (const [key, one] of Object.entries(asRecord(value))) {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean') fields[key] = one
    else if (Array.isArray(one) && one.every((item) => typeof item === 'string')) fields[key] = one
  }
  return fields
}
