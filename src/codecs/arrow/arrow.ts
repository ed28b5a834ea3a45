/**
 * What is used of apache-arrow, from the modules that have it. Its root extends builders, readers and writers when it is loaded, so that bundlers keep those too: 50 kB (gzipped) instead of 20.
 * Loaded with the first table, as a module of its own.
 */
export { Data } from 'apache-arrow/data'
export { BufferType, DateUnit, IntervalUnit, Precision, TimeUnit, Type, UnionMode } from 'apache-arrow/enum'
export { RecordBatch } from 'apache-arrow/recordbatch'
export { Field, Schema } from 'apache-arrow/schema'
export { Table } from 'apache-arrow/table'
export {
  Binary,
  BinaryView,
  Bool,
  DataType,
  Date_,
  Decimal,
  Dictionary,
  Duration,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Float16,
  Float32,
  Float64,
  Int,
  Int8,
  Int16,
  Int32,
  Int64,
  Interval,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  Struct,
  Time,
  Timestamp,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Union,
  Utf8,
  Utf8View,
} from 'apache-arrow/type'
export { Vector } from 'apache-arrow/vector'
