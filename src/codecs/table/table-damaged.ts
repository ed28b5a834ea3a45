import { CorruptionError, isTidemarkError } from '../../errors.ts'

/** Does it; what the reading of Arrow complains about becomes one error that names the table. @throws CorruptionError `table-damaged` */
export function reading<Result>(what: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    if (isTidemarkError(cause)) throw cause
    throw new CorruptionError(`${what} is not readable as Arrow. Verify the version, or log the table again.`, {
      code: 'table-damaged',
      fields: { what },
      cause,
    })
  }
}
