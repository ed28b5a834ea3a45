// A module of its own: imported as a whole, hash-wasm brings twenty algorithms, 80 kB gzipped instead of 9.
export { createXXHash128 } from 'hash-wasm'
