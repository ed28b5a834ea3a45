/** The way of a value into a store: loaded when the first one is logged, so that programs that only read do without. */
export { stageOne } from './stage-one.ts'
export { upload } from './upload.ts'
