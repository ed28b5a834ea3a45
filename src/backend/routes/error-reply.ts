import { isTidemarkError } from '../../errors.ts'
import type { ErrorReply } from '../../protocol/shapes.ts'
import { jsonHeaders } from './reply.ts'

const statuses: Readonly<Record<string, number>> = {
  InvalidInputError: 400,
  PermissionError: 403,
  NotFoundError: 404,
  ConflictError: 409,
  // What nginx logs when the client has gone: nobody is there to read it.
  AbortedError: 499,
  CorruptionError: 500,
  UnsupportedError: 501,
  UnavailableError: 503,
}

const otherStatuses: Readonly<Record<string, number>> = {
  'wrong-method': 405,
  'body-too-large': 413,
  'range-not-satisfiable': 416,
  'api-key-missing': 401,
  'unknown-api-key': 401,
}

// Comet's clients act on these numbers. It has one for a missing artifact too (624522), but its R and Python clients know only that of a version.
const cometCodes: Readonly<Record<string, number>> = {
  'artifact-not-found': 624523,
  'version-not-found': 624523,
  'version-exists': 90399,
  'experiment-not-found': 90211,
  'invalid-experiment-key': 90211,
  'experiment-exists': 90999,
  'experiment-key-missing': 90998,
  'version-closed': 90401,
  'version-open': 90402,
  'version-failed': 90403,
  'invalid-state': 90410,
  'permission-denied': 90210,
  'api-key-missing': 90212,
  'unknown-api-key': 90212,
  'workspace-not-found': 90219,
  'project-missing': 98219,
  'nothing-to-update': 42006,
  'model-not-found': 42008,
}

/** Comet answers 400 to whatever is wrong with a request: its clients read the envelope of that status alone. */
const cometStatuses: readonly number[] = [404, 409, 501]

/** Any failure as an answer. `detailed`: also say what an unforeseen one was; never to strangers. */
export function errorReply(error: unknown, options: { comet: boolean; detailed: boolean }): Response {
  const { msg, category, code, fields } = describe(error, options.detailed)
  const own = otherStatuses[code] ?? (code === 'internal-error' ? 500 : (statuses[category] ?? 500))
  const status = options.comet && cometStatuses.includes(own) && code !== 'unknown-route' ? 400 : own
  const body: ErrorReply = {
    msg,
    code: status,
    data: null,
    sdk_error_code: cometCodes[code] ?? 0,
    tidemark: { category, code, fields },
  }
  const headers = new Headers(jsonHeaders)
  if (typeof fields.allow === 'string') headers.set('allow', fields.allow)
  if (status === 416 && typeof fields.size === 'number') headers.set('content-range', `bytes */${fields.size}`)
  return new Response(JSON.stringify(body), { status, headers })
}

function describe(
  error: unknown,
  detailed: boolean,
): { msg: string; category: string; code: string; fields: Readonly<Record<string, unknown>> } {
  if (isTidemarkError(error))
    return { msg: error.message, category: error.category, code: error.code, fields: error.fields }
  // An abort reaches us as whatever reason the signal was given.
  if (error instanceof Error && error.name === 'AbortError')
    return { msg: 'The operation was aborted.', category: 'AbortedError', code: 'aborted', fields: {} }
  const reason = detailed ? `: ${error instanceof Error ? error.message : String(error)}` : ''
  return {
    msg: `The backend failed unexpectedly${reason}.`,
    category: 'UnavailableError',
    code: 'internal-error',
    fields: {},
  }
}
