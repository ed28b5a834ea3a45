import { InvalidInputError, isTidemarkError, throwIfAborted } from '../errors.ts'

/**
 * Looks into a value somebody gave. Getters, proxies and iterators run their owner's code: what that throws is told as an error of ours.
 *
 * @throws InvalidInputError `value-unreadable`, with what was thrown as its cause
 */
export async function readingValue<T>(read: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!isTidemarkError(cause)) throwIfAborted(signal)
    throw unreadable(cause, 'The value')
  }
}

/** What a value's owner threw, as an error of ours; one of ours as it is. */
export function unreadable(cause: unknown, what: string): Error {
  if (isTidemarkError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : 'it threw something that is no error'
  return new InvalidInputError(
    `${what} could not be read: ${reason}. Log a plain copy of it; the cause of this error says where it failed.`,
    { code: 'value-unreadable', cause },
  )
}
