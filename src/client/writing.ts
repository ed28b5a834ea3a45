/** The way of a value into a store: loaded when the first one is added or logged, so that programs that only read do without. */
export { stage, stageOne } from './stage.ts'
export { upload } from './upload.ts'
