// A module of its own, so that of the package only this algorithm is brought.
export { sha256 } from '@noble/hashes/sha2.js'
export { bytesToHex } from '@noble/hashes/utils.js'
