import { createHash } from 'node:crypto'
import { appendFile, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { Artifact, memoryStore } from '../../src/index.ts'
import { serve } from '../../src/server/node.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { begin, noise, temporaryFolder } from './world.ts'

const sha256 = (bytes: unknown) =>
  createHash('sha256')
    .update(bytes instanceof Uint8Array ? bytes : '')
    .digest('hex')

/** Over HTTP, without routes of our own. `before` sees each upload, and may do something else with it. */
async function served(before: (request: Request, count: number) => Promise<Response> | undefined = () => undefined) {
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store })
  let uploads = 0
  const seen: { length: string | null; streamed: boolean }[] = []
  const answer = onlyComet(async (request) => {
    if (!request.url.includes('upload-asset')) return backend.fetch(request)
    const { headers } = request
    seen.push({
      length: headers.get('content-length'),
      streamed: Number(headers.get('content-length')) > 8 * 1024 * 1024,
    })
    return before(request, ++uploads) ?? backend.fetch(request)
  })
  const serving = await serve({ fetch: answer, port: 0 })
  onTestFinished(async () => {
    await serving.close(0)
    await backend.close()
  })
  return { url: serving.url, seen, ...(await begin({ url: serving.url })) }
}

const spools = async () => (await readdir(tmpdir())).filter((name) => /^tidemark-.{6}$/.test(name))

describe('assets that are sent whole and do not fit into memory', () => {
  const bytes = noise(20_000_000, 3)

  it('files are read while they are sent, with their length said ahead', async () => {
    const path = join(await temporaryFolder(), 'weights "1" ü.bin')
    await writeFile(path, bytes)
    const { experiment, seen } = await served()
    const { assetId } = await experiment.uploadAsset(path, { metadata: { by: 'ada\r\n"' } })
    expect(sha256(await experiment.getAsset(assetId))).toBe(sha256(bytes))
    expect(await experiment.getAssetList()).toMatchObject([
      { fileName: 'weights "1" ü.bin', fileSize: bytes.length, metadata: { by: 'ada\r\n"' } },
    ])
    const artifact = new Artifact('big', 'data')
    await artifact.add(path, { logicalPath: 'deep/weights.bin' })
    const logged = await experiment.logArtifact(artifact)
    expect(sha256(await logged.get())).toBe(sha256(bytes))
    expect(await logged.getAsset()).toMatchObject({ digest: sha256(bytes), size: bytes.length })
    expect(seen.map(({ streamed }) => streamed)).toEqual([true, true])
    for (const { length } of seen) expect(Number(length)).toBeGreaterThan(bytes.length)
  })

  it('streams are laid down in a temporary file, which is gone afterwards', async () => {
    const before = await spools()
    const { experiment, seen } = await served()
    const { assetId } = await experiment.uploadAsset(new Blob([new Uint8Array(bytes)]).stream(), {
      name: 'weights.bin',
    })
    expect(sha256(await experiment.getAsset(assetId))).toBe(sha256(bytes))
    expect(seen).toMatchObject([{ streamed: true }])
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('no more'))
      },
    })
    await expect(experiment.uploadAsset(broken, { name: 'x' })).rejects.toThrow()
    expect(await spools()).toEqual(before)
  })

  it('are sent again from the start when the connection breaks', async () => {
    const path = join(await temporaryFolder(), 'weights.bin')
    await writeFile(path, bytes)
    const { experiment, seen } = await served((request, count) => {
      if (count > 2) return undefined
      return count === 1
        ? Promise.resolve(new Response('busy', { status: 503 }))
        : request.arrayBuffer().then(() => new Response('lost', { status: 504 }))
    })
    const { assetId } = await experiment.uploadAsset(path)
    expect(sha256(await experiment.getAsset(assetId))).toBe(sha256(bytes))
    expect(seen).toHaveLength(3)
  })

  it('a file that changes between being read and being sent is not logged under the digest of what it was', async () => {
    const path = join(await temporaryFolder(), 'weights.bin')
    await writeFile(path, bytes)
    let changed = false
    const { experiment } = await served()
    const artifact = new Artifact('big', 'data')
    await artifact.add(path)
    const logged = experiment.logArtifact(artifact, {
      async onProgress() {
        if (changed) return
        changed = true
        await appendFile(path, 'more')
      },
    })
    // Or it was read in time, both times.
    const outcome = await logged.then(
      async (version) => sha256(await version.get()) === (await version.getAsset()).digest,
      (error: { code?: unknown }) => error.code === 'file-changed',
    )
    expect(outcome).toBe(true)
  })
})
