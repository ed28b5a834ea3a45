// A module of its own: imported as a whole, hash-wasm brings twenty algorithms, 80 kB gzipped instead of 7.
export { createSHA256 } from 'hash-wasm'
