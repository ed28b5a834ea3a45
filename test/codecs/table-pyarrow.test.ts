import { readFile } from 'node:fs/promises'
import { tableFromIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { decodeTable, encodeTable, valuesOf } from './table-support.ts'

const fixture = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`../fixtures/arrow/${name}.arrow`, import.meta.url)))

/** As data frames give themselves: an object that turns into Arrow. */
function frame(bytes: Uint8Array): object {
  return new (class {
    toIPC(): Uint8Array {
      return bytes
    }
  })()
}

describe('tables that pyarrow wrote', () => {
  it.each(['stream', 'file'])('a %s: types, values and metadata stay', async (name) => {
    const bytes = await fixture(name)
    const read = await decodeTable((await encodeTable(frame(bytes))).bytes)
    const written = tableFromIPC(bytes)
    expect(String(read.schema)).toBe(String(written.schema))
    expect(valuesOf(read)).toEqual(valuesOf(written))
    expect(read.schema.metadata.get('made')).toBe('by pyarrow')
    expect(read.getChild('view')?.get(2)).toBe('longer than twelve bytes')
  })

  it.each(['lz4', 'zstd'])('buffers compressed with %s are refused, with the way out', async (name) => {
    await expect(encodeTable(frame(await fixture(name)))).rejects.toMatchObject({
      code: 'arrow-compressed',
      message: expect.stringContaining('without compression'),
    })
  })
})
