/** Loaded with the first download. */
export { download } from '../download.ts'
export { openTarget } from './open-target.ts'
