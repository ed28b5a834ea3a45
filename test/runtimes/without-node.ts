import { expect, it } from 'vitest'
import { wasmDigester } from '../../src/content/digest.ts'
import { builtin } from '../../src/platform/builtin.ts'

/** Of browsers under a strict policy, and of workerd without compatibility flags. */
export function withoutNode(): void {
  it('has nothing of Node, makes no code from strings, and compiles no WebAssembly', async () => {
    expect(['Buffer', 'process', 'require'].filter((name) => name in globalThis)).toEqual([])
    expect(builtin('node:zlib')).toBeUndefined()
    const { Function: make } = globalThis
    expect(() => Reflect.construct(make, ['return 1'])).toThrow()
    await expect(wasmDigester()).rejects.toThrow()
  })
}
