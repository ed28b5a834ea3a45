import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffVersions } from '../../src/content/version-diff.ts'
import { VersionWriter } from '../../src/content/version-writer.ts'
import { concat, expectSame, noise, PacksInMemory, readAll } from './packs-in-memory.ts'

const text = (value: string) => new TextEncoder().encode(value)

describe('versions', () => {
  it('gives back any files, under any sequence of edits, also long after', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 1, max: 5 }))
        .map(([length, seed]) => noise(length, seed)),
    )
    const edit = fc.record({
      path: fc.constantFrom('a', 'b/c', 'd', '\u{1f600}', '\uff5e', 'long/er/path.bin'),
      how: fc.constantFrom('replace', 'remove', 'insert', 'change', 'append', 'cut'),
      where: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        async (versions) => {
          const packs = new PacksInMemory()
          let files: Record<string, Uint8Array> = {}
          const logged: {
            version: Awaited<ReturnType<PacksInMemory['log']>>['version']
            files: Record<string, Uint8Array>
          }[] = []
          for (const [index, edits] of versions.entries()) {
            for (const { path, how, where, bytes } of edits) files = edited(files, path, how, where, bytes)
            const { version } = await packs.log(files, {
              base: logged.at(-1)?.version,
              deflate: index % 2 === 1,
              pieces: inPieces,
            })
            logged.push({ version, files: { ...files } })
          }
          for (const { version, files } of logged) expectSame(await readAll(version), files)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('stores nothing for equal content and little for a small edit', async () => {
    const packs = new PacksInMemory()
    const files = { data: noise(3_000_000), other: noise(50_000, 9) }
    const { version: base, written: first } = await packs.log(files)
    const again = await packs.log(files, { base })
    expect(again.written.bytesStored).toBe(0)
    expect(again.written.digest).toBe(first.digest)
    expect(again.written.manifest).toEqual(base.manifest)

    const data = files.data.slice()
    data[1_500_000] ^= 1
    const edit = await packs.log({ ...files, data }, { base })
    expect(edit.written.bytesStored).toBeLessThan(3_000)
    expectSame(await readAll(edit.version), { ...files, data })

    const longer = new Uint8Array([...files.data.subarray(0, 1_000_000), 1, 2, 3, ...files.data.subarray(1_000_000)])
    const insert = await packs.log({ ...files, data: longer }, { base: edit.version })
    expect(insert.written.bytesStored).toBeLessThan(3_000)
    expectSame(await readAll(insert.version), { ...files, data: longer })
  })

  it('stores equal content once, wherever it stands', async () => {
    const packs = new PacksInMemory()
    const same = noise(200_000)
    const { written, version } = await packs.log({ a: same, b: same, c: same })
    expect(written.bytesStored).toBeLessThan(210_000)
    expectSame(await readAll(version), { a: same, b: same, c: same })
  })

  it('finds renamed files', async () => {
    const packs = new PacksInMemory()
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`old/${index}`, noise(100_000, index + 1)]),
    )
    const { version: base } = await packs.log(files)
    const renamed = Object.fromEntries(
      Object.entries(files).map(([path, bytes]) => [path.replace('old', 'new'), bytes]),
    )
    const { written, version } = await packs.log(renamed, { base })
    // A megabyte is sent before the whole base is searched.
    expect(written.bytesStored).toBeLessThan(8_500_000 * 1.1)
    expectSame(await readAll(version), renamed)
  })

  it('digests a version as sha256sum digests its files', async () => {
    const packs = new PacksInMemory()
    const { written } = await packs.log({ b: text('two\n'), a: text('one\n') })
    // printf 'one\n' > a; printf 'two\n' > b; sha256sum a b | sha256sum
    expect(written.digest).toBe('73d931e3531f13247bbc3a0108fcd0c0ef480260a5e75980db7fa6e0bc531ac4')
  })

  it('orders paths by code point, not by UTF-16 unit', async () => {
    const packs = new PacksInMemory()
    const { version } = await packs.log({ '\u{1f600}': text('2'), '\uff5e': text('1') })
    expect(Object.keys(await readAll(version))).toEqual(['\uff5e', '\u{1f600}'])
  })

  it('reads any range', async () => {
    const packs = new PacksInMemory()
    const bytes = noise(2_500_000)
    const { version } = await packs.log({ bytes })
    const entry = await version.entry('bytes')
    if (!entry) throw new Error('lost')
    await fc.assert(
      fc.asyncProperty(fc.nat(2_600_000), fc.nat(2_600_000), async (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        expectSame({ range: await concat(version.read(entry, { start, end })) }, { range: bytes.subarray(start, end) })
      }),
    )
  })

  it('reads a small range of a large asset without reading the rest', async () => {
    const packs = new PacksInMemory()
    const { version } = await packs.log({ bytes: noise(20_000_000) })
    const entry = await version.entry('bytes')
    if (!entry) throw new Error('lost')
    packs.reads = 0
    await concat(version.read(entry, { start: 15_000_000, end: 15_000_010 }))
    expect(packs.reads).toBeLessThanOrEqual(4)
  })

  it('keeps entries of a base without touching their bytes', async () => {
    const packs = new PacksInMemory()
    const files = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f/${index}`, text(`file ${index}`)]))
    const { version: base } = await packs.log(files)
    packs.reads = 0
    const writer = await VersionWriter.open({ sink: packs, base })
    for await (const entry of base.entries()) if (entry.path !== 'f/77') writer.keep(entry)
    await writer.add({ path: 'g', kind: 'text', mediaType: 'text/plain', cuts: 'content', body: [text('new')] })
    const written = await writer.finish()
    // Nothing but pages is read, and two leaves and the root are written.
    expect(packs.reads).toBeLessThan(80)
    expect(written.bytesStored).toBeLessThan(12_000)
    const { 'f/77': _, ...rest } = files
    expectSame(await readAll(packs.reader(written)), { ...rest, g: text('new') })
  })

  it('reads many small assets in few requests, also empty ones and ones left unread', async () => {
    const packs = new PacksInMemory()
    const files = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [
        String(index).padStart(4, '0'),
        noise(index % 7 === 0 ? 0 : 500, index + 1),
      ]),
    )
    const { version } = await packs.log(files)
    packs.reads = 0
    let index = 0
    for await (const { entry, body } of version.readMany(version.entries())) {
      if (index++ % 3 !== 0) expect(await concat(body)).toEqual(files[entry.path])
    }
    expect(index).toBe(1000)
    expect(packs.reads).toBeLessThan(20)
  })

  it('refuses two assets of one path', async () => {
    const writer = await VersionWriter.open({ sink: new PacksInMemory() })
    for (const _ of [1, 2]) await writer.add({ path: 'a', kind: 'file', mediaType: '', cuts: 'content', body: [] })
    await expect(writer.finish()).rejects.toMatchObject({ code: 'asset-exists' })
  })
})

describe('diff of versions', () => {
  it('tells added, removed and changed paths, reading only pages that differ', async () => {
    const packs = new PacksInMemory()
    const files = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f/${index}`, text(`${index}`)]))
    const { version: before } = await packs.log(files)
    const { 'f/500': _, ...rest } = files
    const { version: after } = await packs.log(
      { ...rest, 'f/600': text('changed'), 'f/x': text('added') },
      { base: before },
    )
    packs.reads = 0
    const changes: [string, string][] = []
    for await (const { path, change } of diffVersions(before, after)) changes.push([path, change])
    expect(changes).toEqual([
      ['f/500', 'removed'],
      ['f/600', 'changed'],
      ['f/x', 'added'],
    ])
    expect(packs.reads).toBeLessThan(30)
  })
})

function edited(
  files: Record<string, Uint8Array>,
  path: string,
  how: string,
  where: number,
  bytes: Uint8Array,
): Record<string, Uint8Array> {
  const old = files[path] ?? new Uint8Array(0)
  const at = Math.floor(where * old.length)
  const { [path]: _, ...rest } = files
  if (how === 'remove') return rest
  if (how === 'replace') return { ...files, [path]: bytes }
  if (how === 'append') return { ...files, [path]: joined(old, bytes) }
  if (how === 'insert') return { ...files, [path]: joined(old.subarray(0, at), bytes, old.subarray(at)) }
  if (how === 'cut') return { ...files, [path]: old.slice(0, at) }
  const changed = old.slice()
  changed.set(bytes.subarray(0, old.length - at), at)
  return { ...files, [path]: changed }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** One buffer for all pieces, as a file reader would do it. */
function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = new Uint8Array(70_001)
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const length = Math.min(buffer.length, bytes.length - at)
    buffer.set(bytes.subarray(at, at + length))
    yield buffer.subarray(0, length)
  }
}
