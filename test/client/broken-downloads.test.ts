import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { Artifact, type LoggedArtifact, memoryStore } from '../../src/index.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { bytesOf, noise, open, quiet, readAll, sameBytes, temporaryFolder } from './world.ts'

type Fetch = (request: Request) => Promise<Response>

/** How an answer breaks off: with an error, as connections do, or with nothing more, as proxies do. */
type End = 'error' | 'silence'

/** Sends at most so many bytes of each answer of `get-asset`, and `change`s them. */
function breaking(fetch: Fetch) {
  const wire = {
    most: Number.POSITIVE_INFINITY,
    more: 0,
    end: 'error' as End,
    sent: 0,
    ranges: [] as (string | null)[],
  }
  let change = (bytes: Uint8Array) => bytes
  const broken: Fetch = async (request) => {
    const answer = await fetch(request)
    if (!request.url.includes('/get-asset') || !answer.ok) return answer
    wire.ranges.push(request.headers.get('range'))
    const bytes = change(new Uint8Array(await answer.arrayBuffer()))
    const part = bytes.subarray(0, wire.most)
    wire.sent += part.length
    const { most, end } = wire
    wire.most += wire.more
    const pieces = [part].values()
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { value } = pieces.next()
        if (value && value.length > 0) controller.enqueue(value)
        else if (bytes.length > most && end === 'error') controller.error(new TypeError('terminated'))
        else controller.close()
      },
    })
    return new Response(body, { status: answer.status, headers: answer.headers })
  }
  return { wire, fetch: broken, changing: (how: typeof change) => (change = how) }
}

const ours = () => {
  const store = memoryStore()
  return { url: 'https://server.example', fetch: onlyComet(createBackend({ records: store, blobs: store }).fetch) }
}
const withoutRanges = () => ({ url: 'https://comet.example', apiKey: 'k', fetch: cometDouble('k').fetch })

/** A version with a large asset and a small one, on a server whose answers can be broken. */
async function logged(server: { url: string; apiKey?: string; fetch: Fetch }, content: Uint8Array) {
  const { wire, fetch, changing } = breaking(server.fetch)
  const tidemark = await open({ ...server, fetch })
  const experiment = await tidemark.createExperiment({ project: 'flowers', ...quiet })
  const artifact = new Artifact('data', 'dataset')
  await artifact.add(content, { logicalPath: 'large.bin' })
  await artifact.add(bytesOf('small'), { logicalPath: 'inner/small.txt' })
  return { experiment, version: await experiment.logArtifact(artifact), wire, changing }
}

async function opened(version: LoggedArtifact, path: string, span: { start?: number; end?: number } = {}) {
  return (await version.getAsset(path)).open(span)
}

const content = noise(300_000, 5)

describe.each(['error', 'silence'] as const)('a download that breaks off with %s', (end) => {
  it('goes on from there', async () => {
    const { version, wire } = await logged(ours(), content)
    Object.assign(wire, { most: 70_000, end })
    const target = await temporaryFolder()
    await version.download(target)
    expect(sameBytes(await readFile(join(target, 'large.bin')), content)).toBe(true)
    expect(await readFile(join(target, 'inner/small.txt'), 'utf8')).toBe('small')
    expect(wire.ranges.toSorted()).toEqual([
      'bytes=140000-',
      'bytes=210000-',
      'bytes=280000-',
      'bytes=70000-',
      null,
      null,
    ])
    // Nothing is sent twice.
    expect(wire.sent).toBe(300_000 + 5)
  })

  it('begins again where the server has no ranges, and passes over what came', async () => {
    const { version, wire } = await logged(withoutRanges(), content)
    Object.assign(wire, { most: 90_000, more: 90_000, end })
    expect(sameBytes(await readAll(await opened(version, 'large.bin')), content)).toBe(true)
    expect(wire.ranges).toEqual([null, 'bytes=90000-', 'bytes=180000-', 'bytes=270000-'])
  })

  it.each([
    ['with ranges', ours],
    ['without ranges', withoutRanges],
  ] as const)('%s is given up when nothing more comes', async (_, server) => {
    const { version, wire } = await logged(server(), content)
    Object.assign(wire, { most: 0, end })
    const target = join(await temporaryFolder(), 'new')
    await expect(version.download(target)).rejects.toMatchObject({
      category: 'UnavailableError',
      code: 'no-connection',
    })
    expect(wire.ranges.length).toBeLessThanOrEqual(12)
    await expect(readdir(target)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a download that was resumed', () => {
  it('is checked as a whole', async () => {
    const { version, wire, changing } = await logged(ours(), content)
    wire.most = 200_000
    changing((bytes) => (bytes.length === 100_000 ? bytes.with(7, bytes[7] ^ 1) : bytes))
    const target = join(await temporaryFolder(), 'new')
    await expect(version.download(target)).rejects.toMatchObject({
      code: 'asset-damaged',
      fields: { path: 'large.bin' },
    })
    await expect(readdir(target)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is checked in its length', async () => {
    for (const change of [
      (bytes: Uint8Array) => bytes.subarray(0, Math.max(0, bytes.length - 1)),
      (bytes: Uint8Array) => new Uint8Array([...bytes, 1]),
    ]) {
      const { version, changing } = await logged(withoutRanges(), content)
      changing(change)
      await expect(readAll(await opened(version, 'large.bin'))).rejects.toMatchObject({ category: expect.any(String) })
    }
  })

  it('is refused when what follows is of another file', async () => {
    const { fetch, ...server } = ours()
    let tag = 0
    const otherEachTime: Fetch = async (request) => {
      const answer = await fetch(request)
      if (request.url.includes('/get-asset')) answer.headers.set('etag', `"${tag++}"`)
      return answer
    }
    const { version, wire } = await logged({ ...server, fetch: otherEachTime }, content)
    wire.most = 200_000
    await expect(readAll(await opened(version, 'large.bin'))).rejects.toMatchObject({ code: 'asset-changed' })
  })
})

describe('what is read in part', () => {
  it.each([
    ['with ranges', ours, 'bytes=100000-100999'],
    ['without ranges', withoutRanges, 'bytes=100000-100999'],
  ] as const)('%s', async (_, server, range) => {
    const { version, wire } = await logged(server(), content)
    wire.ranges.length = 0
    const part = await readAll(await opened(version, 'large.bin', { start: 100_000, end: 101_000 }))
    expect(sameBytes(part, content.subarray(100_000, 101_000))).toBe(true)
    expect(wire.ranges).toEqual([range])
    wire.most = 400
    if (server === ours)
      expect(await readAll(await opened(version, 'large.bin', { start: 299_000, end: 400_000 }))).toEqual(
        content.slice(299_000),
      )
  })
})

it('assets of experiments go on too', async () => {
  const { experiment, wire } = await logged(ours(), content)
  await experiment.uploadAsset(content, { name: 'model.bin' })
  await experiment.uploadAsset(new Uint8Array(0), { name: 'empty.bin' })
  await experiment.flush()
  const assets = await experiment.getAssetList()
  const idOf = (name: string) => assets.find(({ fileName }) => fileName === name)?.assetId ?? ''
  wire.most = 130_000
  expect(sameBytes(await experiment.getAsset(idOf('model.bin')), content)).toBe(true)
  expect(wire.ranges).toEqual([null, 'bytes=130000-', 'bytes=260000-'])
  expect(await experiment.getAsset(idOf('empty.bin'))).toEqual(new Uint8Array(0))
})
