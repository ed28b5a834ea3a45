import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { zipCodec } from '../../src/codecs/zip.ts'
import { folder } from '../../src/index.ts'
import { assetOf } from '../codecs/asset-of.ts'
import { bytesOf, give, temporaryFolder } from './exchange.ts'
import { program, python, pythonJson } from './python.ts'

const list = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    whole = hashlib.sha256()
    for name in archive.namelist():
        whole.update(archive.read(name))
    entries = archive.infolist()
    print(json.dumps({
        'count': len(entries), 'bad': archive.testzip(), 'names': [entry.filename for entry in entries[:100]], 'last': entries[-1].filename if entries else None,
        'times': sorted({entry.date_time for entry in entries}), 'digest': whole.hexdigest(), 'size': sum(entry.file_size for entry in entries),
    }))
`

async function digestOf(parts: Iterable<Uint8Array>): Promise<string> {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

describe('zipfile and unzip read what we write', () => {
  it('70,000 entries', async () => {
    const files = Array.from({ length: 70_000 }, (_, i) => new File([`file ${i}`], `${String(i).padStart(6, '0')}.txt`))
    const path = await give(folder(files))
    const bytes = files.map((_, i) => new TextEncoder().encode(`file ${i}`))
    expect(pythonJson(list, path)).toMatchObject({
      count: 70_000,
      bad: null,
      last: '069999.txt',
      times: [[1980, 1, 1, 0, 0, 0]],
      digest: await digestOf(bytes),
    })
    const { ok, output } = program('unzip', '-tq', path)
    expect([ok, output]).toEqual([true, expect.stringContaining('No errors detected')])
    expect(program('unzip', '-l', path).output).toContain('70000 files')
  })

  it('odd names, deep folders, empty files', async () => {
    const source = join(await temporaryFolder(), 'source')
    const names = [
      'ünïcode/名前/😀.txt',
      'with space/ leading',
      '-dash',
      '$(echo)/`x`',
      'quote\'d "twice"',
      'percent%20',
      'a&b;c',
      `${'long'.repeat(60)}.bin`,
      'deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p',
      'empty',
      '.hidden',
      'star*question?[x]',
      'CamelCase',
      'camelcase',
    ].filter((name) => !/[*?"<>|]/.test(name) || process.platform !== 'win32')
    for (const name of names) {
      await mkdir(join(source, name, '..'), { recursive: true })
      await writeFile(join(source, name), name === 'empty' ? '' : `in ${name}`)
    }
    const path = await give(folder(source))
    const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(pythonJson(list, path)).toMatchObject({ count: names.length, bad: null, names: sorted })
    expect(program('unzip', '-tq', path).ok).toBe(true)
    const out = join(await temporaryFolder(), 'out')
    python('import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])', path, out)
    expect(program('diff', '-r', source, out)).toEqual({ ok: true, output: '' })
  })

  it('files larger than what is held in memory have their sizes behind them', async () => {
    const source = join(await temporaryFolder(), 'source')
    await mkdir(source)
    await writeFile(join(source, 'large'), new Uint8Array(5_000_000).fill(7))
    await writeFile(join(source, 'small'), 'small')
    const path = await give(folder(source))
    expect(pythonJson(list, path)).toMatchObject({ count: 2, bad: null, size: 5_000_005 })
    expect(program('unzip', '-tq', path).ok).toBe(true)
  })

  it('an empty folder is an archive without entries', async () => {
    const source = join(await temporaryFolder(), 'source')
    await mkdir(source)
    expect(pythonJson(list, await give(folder(source)))).toMatchObject({ count: 0, bad: null })
  })
})

const make = `
import os, sys, zipfile
folder = sys.argv[1]
class Pipe:
    """Cannot seek: sizes follow the data."""
    def __init__(self, file):
        self.file, self.at = file, 0
    def write(self, data):
        self.at += len(data)
        return self.file.write(data)
    def flush(self):
        self.file.flush()
def fill(archive):
    archive.writestr('a.txt', 'hello')
    archive.writestr('folder/', '')
    archive.writestr('folder/\\u00fc\\U0001f600.bin', os.urandom(300_000))
    archive.writestr('zeros', bytes(2_000_000))
    archive.writestr('empty', '')
for name, method in [('stored', zipfile.ZIP_STORED), ('deflated', zipfile.ZIP_DEFLATED)]:
    with zipfile.ZipFile(f'{folder}/{name}.zip', 'w', method) as archive:
        fill(archive)
    with open(f'{folder}/{name}-streamed.zip', 'wb') as file, zipfile.ZipFile(Pipe(file), 'w', method) as archive:
        fill(archive)
    with zipfile.ZipFile(f'{folder}/{name}-zip64.zip', 'w', method) as archive:
        for path in ['a.txt', 'b.txt']:
            with archive.open(zipfile.ZipInfo(path), 'w', force_zip64=True) as entry:
                entry.write(b'hello')
with zipfile.ZipFile(f'{folder}/many.zip', 'w') as archive:
    for i in range(70_000):
        archive.writestr(f'{i:06}', f'{i}')
for name, method in [('bzip2', zipfile.ZIP_BZIP2), ('lzma', zipfile.ZIP_LZMA)]:
    with zipfile.ZipFile(f'{folder}/{name}.zip', 'w', method) as archive:
        archive.writestr('a.txt', 'hello' * 100)
with zipfile.ZipFile(f'{folder}/upwards.zip', 'w') as archive:
    archive.writestr('../up.txt', 'out of the folder')
`

async function decode(path: string): Promise<Map<string, Uint8Array>> {
  const files = await zipCodec.decode(assetOf(await bytesOf(path), path))
  if (!(files instanceof Map)) throw new TypeError('not a map')
  return files
}

describe('we read what zipfile writes', () => {
  it('stored and deflated, streamed, with zip64; others are refused', async () => {
    const source = await temporaryFolder()
    python(make, source)
    const read = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if not name.endswith('/')}))`
    for (const name of [
      'stored',
      'deflated',
      'stored-streamed',
      'deflated-streamed',
      'stored-zip64',
      'deflated-zip64',
    ]) {
      const path = join(source, `${name}.zip`)
      const digests: Record<string, string> = {}
      for (const [entry, bytes] of await decode(path)) digests[entry] = await digestOf([bytes])
      expect([name, digests]).toEqual([name, pythonJson(read, path)])
    }
    expect((await decode(join(source, 'many.zip'))).size).toBe(70_000)
    for (const name of ['bzip2', 'lzma'])
      await expect(decode(join(source, `${name}.zip`))).rejects.toMatchObject({ category: 'UnsupportedError' })
    await expect(decode(join(source, 'upwards.zip'))).rejects.toMatchObject({ category: 'CorruptionError' })
  })
})

// 13 GB of disk and some minutes, so only when asked for.
describe.runIf(process.env.TIDEMARK_LARGE)('an entry over 4 GiB', () => {
  it('is read by zipfile and unzip', { timeout: 1_800_000 }, async () => {
    const { connect } = await import('../../src/index.ts')
    const place = await temporaryFolder()
    const source = join(place, 'source')
    await mkdir(source)
    const size = 2 ** 32 + 12_345
    const large = await open(join(source, 'large.bin'), 'w')
    await large.truncate(size)
    // Not only zeros, which would be one chunk: something at the start, across 4 GiB, and at the end.
    for (const at of [0, 2 ** 31, 2 ** 32 - 5, size - 9]) await large.write('tidemark!', at)
    await large.close()
    await writeFile(join(source, 'a-small'), 'before')
    await writeFile(join(source, 'z-small'), 'behind 4 GiB')
    const tidemark = await connect({ store: join(place, 'store') })
    const experiment = await tidemark.createExperiment()
    const logged = await experiment.uploadArtifact('large', folder(source))
    await logged.download(join(place, 'out'))
    await tidemark.close()
    const path = join(place, 'out', 'large.zip')
    const stream = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({'bad': archive.testzip(), 'sizes': [entry.file_size for entry in archive.infolist()], 'last': archive.read('z-small').decode()}))`
    expect(pythonJson(stream, path)).toEqual({ bad: null, sizes: [6, size, 12], last: 'behind 4 GiB' })
    expect(program('unzip', '-tq', path).ok).toBe(true)
    expect(program('sh', '-c', `unzip -p "${path}" large.bin | cmp - "${join(source, 'large.bin')}"`)).toEqual({
      ok: true,
      output: '',
    })
  })
})
