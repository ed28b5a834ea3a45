import { InvalidInputError, UnsupportedError } from '../../errors.ts'
import type { Table } from '../arrow/arrow.ts'
import { messagesIn } from '../arrow/arrow-messages.ts'
import { tableOfMessages } from '../arrow/arrow-table.ts'
import { isArrowFile, readFooter } from './table-scan-file.ts'

/**
 * The table in an Arrow stream or file that another library's `method` gave.
 *
 * @throws InvalidInputError `not-a-table`; UnsupportedError `arrow-compressed`, `arrow-type-unsupported`
 */
export async function tableOfBytes(given: Uint8Array, method: string): Promise<Table> {
  // Arrow reads numbers in place, so they must begin on their own size.
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice()
  try {
    return tableOfMessages(isArrowFile(bytes) ? await messagesInFile(bytes) : messagesIn(bytes))
  } catch (cause) {
    if (cause instanceof UnsupportedError) throw cause.code === 'arrow-compressed' ? compressed(method, cause) : cause
    throw new InvalidInputError(
      `What ${method}() gave is not an Arrow table. Pass an Arrow table or an array of records.`,
      { code: 'not-a-table', cause },
    )
  }
}

async function messagesInFile(bytes: Uint8Array) {
  const range = async (start: number, end: number) => bytes.subarray(start, end)
  const { schema, dictionaries, batches } = await readFooter('The table', { size: bytes.byteLength, range })
  const blocks = [...dictionaries, ...batches].map(({ start, end }) => bytes.subarray(start, end))
  return [schema, ...blocks].flatMap((block) => [...messagesIn(block)])
}

function compressed(method: string, cause: Error): UnsupportedError {
  return new UnsupportedError(
    `The Arrow buffers that ${method}() gave are compressed (LZ4 or ZSTD). Have them written without compression: Tidemark finds equal parts only in plain ones, and compresses itself.`,
    { code: 'arrow-compressed', cause },
  )
}
