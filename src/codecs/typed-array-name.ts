/** `Float32Array` and the like, also for one of another realm; `Uint8Array` for Node's Buffer. */
export function typedArrayName(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice('[object '.length, -1)
}
