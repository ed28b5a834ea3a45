import { FlatReader } from '../arrow/arrow-flat.ts'
import { SCHEMA } from '../arrow/arrow-header.ts'
import { framed } from '../arrow/arrow-message.ts'
import type { AssetReader } from '../codec.ts'
import { reading } from './table-damaged.ts'

/** Begins and ends an Arrow file (Arrow format, "IPC File Format"). */
const FILE_MAGIC = new TextEncoder().encode('ARROW1')
/** The magic, filled up to 8. */
export const MAGIC_BYTES = 8
/** The length of the footer, and the magic. */
const TAIL_BYTES = 4 + FILE_MAGIC.byteLength
/** A struct of the footer: offset, length of the metadata, length of the body, each in 8 bytes. */
const BLOCK_BYTES = 24

/** Where the table of the message is, before the footer in its buffer; on 8 bytes. */
const TABLE = 16
const MESSAGE_BYTES = 32
const VERSION_5 = 4

/** Where an Arrow file says its messages are. */
export interface FileFooter {
  /** As a stream would begin with it. */
  readonly schema: Uint8Array
  readonly dictionaries: readonly Block[]
  readonly batches: readonly Block[]
}

/** First byte of a message in the file, and just past its body. */
export interface Block {
  readonly start: number
  readonly end: number
}

export function isArrowFile(bytes: Uint8Array): boolean {
  return FILE_MAGIC.every((byte, at) => bytes[at] === byte)
}

/** Files are read by their footer, as Arrow says: some writers (apache-arrow for JavaScript) put the schema only there. @throws CorruptionError `table-damaged` */
export async function readFooter(what: string, file: Pick<AssetReader, 'size' | 'range'>): Promise<FileFooter> {
  const tail = await file.range(Math.max(0, file.size - TAIL_BYTES), file.size)
  const length = reading(what, () => {
    if (tail.byteLength < TAIL_BYTES || !FILE_MAGIC.every((byte, at) => tail[4 + at] === byte))
      throw new RangeError('The file is cut off: it does not end as an Arrow file does.')
    const size = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true)
    if (size <= 0 || size > file.size - TAIL_BYTES - MAGIC_BYTES) throw new RangeError('The footer has no such length.')
    return size
  })
  const end = file.size - TAIL_BYTES
  const bytes = await file.range(end - length, end)
  return reading(what, () => {
    const flat = new FlatReader(bytes)
    const footer = flat.root()
    const schemaAt = flat.field(footer, 1)
    if (schemaAt === 0) throw new RangeError('The footer has no schema.')
    return {
      schema: schemaMessage(bytes, flat.table(schemaAt)),
      dictionaries: blocks(flat, flat.field(footer, 2), end),
      batches: blocks(flat, flat.field(footer, 3), end),
    }
  })
}

function blocks(flat: FlatReader, at: number, size: number): Block[] {
  const { start, count } = flat.vector(at, BLOCK_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const block = start + index * BLOCK_BYTES
    const from = flat.long(block)
    const end = from + flat.uint32(block + 8) + flat.long(block + 16)
    if (end > size) throw new RangeError('The footer leads outside of the file.')
    return { start: from, end }
  })
}

/** The schema of a footer as a message of its own: the footer's bytes behind a flatbuffer of a Message whose header they hold. */
function schemaMessage(footer: Uint8Array, schema: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES + footer.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, TABLE, true)
  // The vtable at 4: its size, the table's size, then where version, type and header are in the table.
  for (const [index, value] of [10, 12, 8, 10, 4].entries()) view.setUint16(4 + index * 2, value, true)
  view.setInt32(TABLE, TABLE - 4, true)
  view.setUint32(TABLE + 4, MESSAGE_BYTES + schema - (TABLE + 4), true)
  view.setUint16(TABLE + 8, VERSION_5, true)
  view.setUint8(TABLE + 10, SCHEMA)
  bytes.set(footer, MESSAGE_BYTES)
  return framed(bytes)
}
