/** What it takes to store the layouts that only tables of Arrow have: dictionaries, unions and views. Loaded with the first such table. */
export { decodedRanges, writeIndices } from '../arrow/arrow-indices.ts'
export { writeUnion } from '../arrow/arrow-union.ts'
export { writeViews } from '../arrow/arrow-views.ts'
export { codes } from './table-code-summary.ts'
export { streamDictionary } from './table-dictionary.ts'
