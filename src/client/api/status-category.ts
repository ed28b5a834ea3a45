import { ConflictError, InvalidInputError, NotFoundError, PermissionError, UnavailableError } from '../../errors.ts'
import { transientStatuses } from './api-error.ts'

/** Of an answer that says no more than its status. */
export function categoryOf(status: number): string {
  if (status === 401 || status === 403) return PermissionError.category
  if (status === 404 || status === 410) return NotFoundError.category
  if (status === 409 || status === 412) return ConflictError.category
  if (status >= 500 || transientStatuses.includes(status)) return UnavailableError.category
  return InvalidInputError.category
}
