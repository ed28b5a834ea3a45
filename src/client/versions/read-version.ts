/** The way of a value out of a version: loaded when the first one is read, so that programs that only look for versions do without. */
export { decodeAsset } from './asset-reader.ts'
export { findEntry } from './find-entry.ts'
export { readVersion } from './packed-version.ts'
