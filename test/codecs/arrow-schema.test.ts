import * as arrow from 'apache-arrow'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMessage } from '../../src/codecs/arrow/arrow-messages.ts'
import { readSchema } from '../../src/codecs/arrow/arrow-schema-reader.ts'
import { schemaMessage } from '../../src/codecs/arrow/arrow-schema-writer.ts'

const metadata = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }).map((pairs) => new Map(pairs))
const name = fc.string({ unit: 'grapheme', maxLength: 12 })
const unit = fc.integer({ min: 0, max: 3 })

const index = fc.constantFrom(
  ...[
    new arrow.Int8(),
    new arrow.Int16(),
    new arrow.Int32(),
    new arrow.Uint8(),
    new arrow.Uint16(),
    new arrow.Uint32(),
  ],
)

const leaf: fc.Arbitrary<arrow.DataType> = fc.oneof(
  fc.constantFrom(
    ...[new arrow.Null(), new arrow.Bool(), new arrow.Utf8(), new arrow.LargeUtf8(), new arrow.Utf8View()],
    ...[new arrow.Binary(), new arrow.LargeBinary(), new arrow.BinaryView(), new arrow.Int64(), new arrow.Uint64()],
  ),
  index,
  fc.integer({ min: 0, max: 2 }).map((precision) => new arrow.Float(precision)),
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 38 }), fc.constantFrom(128, 256))
    .map(([scale, precision, width]) => new arrow.Decimal(scale, precision, width)),
  fc.integer({ min: 0, max: 1 }).map((day) => new arrow.Date_(day)),
  fc.tuple(unit, fc.constantFrom(32 as const, 64 as const)).map(([of, width]) => new arrow.Time(of, width)),
  fc.tuple(unit, fc.constantFrom(null, 'UTC', 'Europe/Berlin')).map(([of, zone]) => new arrow.Timestamp(of, zone)),
  fc.integer({ min: 0, max: 2 }).map((of) => new arrow.Interval(of)),
  unit.map((of) => new arrow.Duration(of)),
  fc.integer({ min: 0, max: 99 }).map((width) => new arrow.FixedSizeBinary(width)),
)

/** Ids as they are given: a dictionary is nobody else's, in this schema. */
let lastId = 0

const { field } = fc.letrec<{ type: arrow.DataType; field: arrow.Field }>((tie) => {
  const fields = fc.uniqueArray(tie('field'), { selector: (one) => one.name, minLength: 1, maxLength: 4 })
  return {
    field: fc
      .tuple(name, tie('type'), fc.boolean(), metadata)
      .map(([called, type, nullable, about]) => new arrow.Field(called, type, nullable, about)),
    type: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      tie('field').map((one) => new arrow.List(one)),
      tie('field').map((one) => new arrow.LargeList(one)),
      fc.tuple(fc.nat(9), tie('field')).map(([size, one]) => new arrow.FixedSizeList(size, one)),
      fields.map((several) => new arrow.Struct(several)),
      fc.tuple(fc.boolean(), tie('type')).map(([sorted, value]) => {
        const pair: arrow.Field[] = [new arrow.Field('key', new arrow.Utf8()), new arrow.Field('value', value, true)]
        return new arrow.Map_(
          new arrow.Field('entries', new arrow.Struct<{ key: arrow.Utf8; value: arrow.DataType }>(pair)),
          sorted,
        )
      }),
      fc.tuple(fc.constantFrom(arrow.UnionMode.Sparse, arrow.UnionMode.Dense), fields).map(
        ([mode, several]) =>
          new arrow.Union(
            mode,
            several.map((_, at) => at * 3),
            several,
          ),
      ),
      fc
        .tuple(tie('type'), index, fc.boolean())
        .filter(([values]) => !arrow.DataType.isDictionary(values))
        .map(([values, indices, ordered]) => new arrow.Dictionary(values, indices, lastId++, ordered)),
    ),
  }
})

const schema = fc
  .tuple(fc.uniqueArray(field, { selector: (one) => one.name, maxLength: 6 }), metadata)
  .map(([fields, about]) => new arrow.Schema(fields, about))

describe('the message of a schema', () => {
  it('has the bytes that apache-arrow writes', () => {
    fc.assert(
      fc.property(schema, (given) => {
        const written = arrow.Message.encode(arrow.Message.from(given))
        const message = schemaMessage(given)
        expect(Buffer.from(message.subarray(8, 8 + written.length)).equals(written)).toBe(true)
        expect(message.length % 8).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(schema, (given) => {
        const message = readMessage(schemaMessage(given))
        if (message === undefined || message === 'end') throw new Error('There is no message.')
        expect(described(readSchema(message.header))).toEqual(described(given))
      }),
      { numRuns: 300 },
    )
  })
})

function described({ fields, metadata: about, dictionaries }: arrow.Schema): unknown {
  return { fields: fields.map(describedField), about, dictionaries: [...dictionaries.keys()].sort() }
}

function describedField({ name: called, type, nullable, metadata: about }: arrow.Field): unknown {
  const { children, dictionary, indices, ...own } = { children: [], dictionary: undefined, indices: undefined, ...type }
  return {
    called,
    nullable,
    about,
    own,
    text: String(type),
    children: (type.children ?? []).map(describedField),
    dictionary: String(dictionary),
    indices: String(indices),
  }
}
