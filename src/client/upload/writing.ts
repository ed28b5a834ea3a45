/** The way of a value into a store: loaded when the first one is logged, so that programs that only read do without. */

export { upload } from '../upload.ts'
export { stageOne } from './stage-one.ts'
