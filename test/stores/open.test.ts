import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { openStore, storeOpeners } from '../../src/stores/open.ts'
import { read, text } from '../conformance/store.ts'
import { inNewFolder } from './new-folder.ts'

it('gives a store back as it is', async () => {
  const store = memoryStore()
  expect(await openStore(store)).toBe(store)
})

it('opens a fresh memory store each time', async () => {
  const store = await openStore('memory:')
  await store.put('a', text('x'))
  expect(await (await openStore('memory:')).get('a')).toBeUndefined()
})

it('opens one folder by its path and by its URL', async () => {
  const { path, remove } = await inNewFolder()
  const odd = join(path, 'with spaces é %20')
  await (await openStore(odd)).put('a', text('x'))
  expect(read(await (await openStore(pathToFileURL(odd).href)).get('a'))).toBe('x')
  expect(read(await (await openStore(`file://localhost${pathToFileURL(odd).pathname}`)).get('a'))).toBe('x')
  await remove()
})

it('takes a Windows drive letter for a path', async () => {
  expect((await openStore('C:\\data\\store')).uri).toContain('C:\\data\\store')
  expect((await openStore('c:/data')).uri).toContain('c:/data')
})

it('names the schemes it knows when asked for another', async () => {
  for (const uri of ['s4://bucket/x', 'Ftp://host/x', 'https://example.org']) {
    const error: unknown = await openStore(uri).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'UnsupportedError', code: 'unknown-store-scheme' })
    for (const scheme of storeOpeners.keys()) expect(String(error)).toContain(`${scheme}:`)
  }
})

it.each(['', 'file:', 'file://server/share', 'file:///a?b', 'file:///a#b', 'file:///a%2fb', 'file:///%zz'])(
  'refuses %j',
  async (uri) => {
    await expect(openStore(uri)).rejects.toMatchObject({ name: 'InvalidInputError', code: 'invalid-store-path' })
  },
)

it.each([undefined, null, 7, {}, { get: () => undefined }, new Map()])(
  'refuses %j, which is no store',
  async (value) => {
    // @ts-expect-error what a caller without types may pass
    await expect(openStore(value)).rejects.toMatchObject({ name: 'InvalidInputError', code: 'invalid-store' })
  },
)
