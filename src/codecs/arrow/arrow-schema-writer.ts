import { DataType, type Dictionary, type Field, type Schema } from './arrow.ts'
import { type FlatSlot, FlatWriter } from './arrow-flat-writer.ts'
import { SCHEMA } from './arrow-header.ts'
import { framed } from './arrow-message.ts'

const V5 = 4
/** What is left out of metadata, as it is the default there (Schema.fbs of Arrow's format). */
const MILLISECOND = 1
const TIME_BITS = 32
const DECIMAL_BITS = 128

/** The message of a schema, with which a stream begins. Bytes are those of apache-arrow 21, whichever is installed. */
export function schemaMessage({ fields, metadata }: Schema): Uint8Array {
  const flat = new FlatWriter()
  const columns = flat.offsets(fields.map((field) => writeField(flat, field)))
  const schema = flat.table([
    [1, 'offset', columns],
    [2, 'offset', writeMetadata(flat, metadata)],
  ])
  return framed(
    flat.finish(
      flat.table([
        [0, 2, V5],
        [2, 'offset', schema],
        [1, 1, SCHEMA],
      ]),
    ),
  )
}

function writeField(flat: FlatWriter, { name, type, nullable, metadata }: Field): number {
  const dictionary = DataType.isDictionary(type) ? writeDictionary(flat, type) : 0
  const values: DataType = DataType.isDictionary(type) ? type.dictionary : type
  const described = flat.table(describe(flat, values))
  const children = flat.offsets((values.children ?? []).map((child) => writeField(flat, child)))
  const about = writeMetadata(flat, metadata)
  const text = name ? flat.text(name) : 0
  return flat.table([
    [3, 'offset', described],
    [2, 1, values.typeId],
    [5, 'offset', children],
    [1, 1, Number(nullable)],
    [0, 'offset', text],
    [4, 'offset', dictionary],
    [6, 'offset', about],
  ])
}

function writeDictionary(flat: FlatWriter, { indices, id, isOrdered }: Dictionary): number {
  const index = flat.table(describe(flat, indices))
  return flat.table([
    [0, 8, id],
    [2, 1, Number(isOrdered)],
    [1, 'offset', index],
  ])
}

function writeMetadata(flat: FlatWriter, metadata: ReadonlyMap<string, string>): number {
  if (metadata.size === 0) return 0
  const pairs = Array.from(metadata, ([key, value]) => {
    const [keyAt, valueAt] = [flat.text(key), flat.text(value)]
    return flat.table([
      [0, 'offset', keyAt],
      [1, 'offset', valueAt],
    ])
  })
  return flat.offsets(pairs)
}

/** What a type's table says. Types that are not here have one with nothing in it. */
function describe(flat: FlatWriter, type: DataType): FlatSlot[] {
  if (DataType.isInt(type))
    return [
      [0, 4, type.bitWidth],
      [1, 1, Number(type.isSigned)],
    ]
  if (DataType.isFloat(type)) return [[0, 2, type.precision]]
  if (DataType.isDecimal(type))
    return [
      [1, 4, type.scale],
      [0, 4, type.precision],
      [2, 4, type.bitWidth, DECIMAL_BITS],
    ]
  if (DataType.isDate(type) || DataType.isDuration(type)) return [[0, 2, type.unit, MILLISECOND]]
  if (DataType.isTime(type))
    return [
      [0, 2, type.unit, MILLISECOND],
      [1, 4, type.bitWidth, TIME_BITS],
    ]
  if (DataType.isTimestamp(type)) {
    const zone = type.timezone ? flat.text(type.timezone) : 0
    return [
      [0, 2, type.unit],
      [1, 'offset', zone],
    ]
  }
  if (DataType.isInterval(type)) return [[0, 2, type.unit]]
  if (DataType.isUnion(type)) {
    const ids = flat.int32s([...type.typeIds])
    return [
      [0, 2, type.mode],
      [1, 'offset', ids],
    ]
  }
  if (DataType.isFixedSizeBinary(type)) return [[0, 4, type.byteWidth]]
  if (DataType.isFixedSizeList(type)) return [[0, 4, type.listSize]]
  if (DataType.isMap(type)) return [[0, 1, Number(type.keysSorted)]]
  return []
}
