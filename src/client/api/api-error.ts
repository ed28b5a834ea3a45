import { AbortedError, errorFromWire, isTidemarkError, type TidemarkError, UnavailableError } from '../../errors.ts'
import { reasonOf } from './reason.ts'
import { sentence } from './sentence.ts'
import { withoutKeys } from './without-keys.ts'

/** Statuses after which the same request may succeed: RFC 9110, RFC 6585. */
export const transientStatuses: readonly number[] = [408, 425, 429, 502, 503, 504]

/** What fetch or the reading of a body threw, as one of our errors. `what` says what was asked, without keys. */
export async function toClientError(
  error: unknown,
  what: string,
  signal: AbortSignal | undefined,
  remote: boolean,
): Promise<TidemarkError> {
  if (isTidemarkError(error)) return error
  if (signal?.aborted) return new AbortedError(`${what} was aborted.`, { code: 'aborted', cause: signal.reason })
  const reason = error instanceof SyntaxError ? 'the answer is not JSON, or breaks off' : reasonOf(error)
  return new UnavailableError(`${sentence(`${what} failed: ${reason}`)} Check the address and the network.`, {
    code: 'no-connection',
    fields: { transient: remote },
    cause: error,
  })
}

/** An answer with a status that says it was not done, as one of our errors. Some servers say which key it was that they refuse: messages go to logs, a key never does. */
export async function refusal(
  response: Response,
  what: string,
  remote: boolean,
  apiKey: string | undefined,
): Promise<TidemarkError> {
  const { status } = response
  const transient = remote && transientStatuses.includes(status)
  const { msg: told, sdkErrorCode, ours } = readEnvelope(await response.text())
  const msg = told && withoutKeys(told, [apiKey])
  const mark = transient ? { transient } : {}
  if (ours) return errorFromWire(ours.category, msg ?? what, { code: ours.code, fields: { ...ours.fields, ...mark } })
  // Loaded with the first answer of Comet's, or of a proxy.
  const { foreignRefusal } = await import('./foreign-refusal.ts')
  return foreignRefusal({ what, status, msg, sdkErrorCode, mark })
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
