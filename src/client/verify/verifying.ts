/** Loaded when something is verified for the first time. */
export { verifyStored } from '../verify.ts'
export { verifyNamed } from './verify-all.ts'
export { verifyFolder } from './verify-folder.ts'
