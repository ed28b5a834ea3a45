import { describe, expect, it } from 'vitest'
import { Artifact, arrays, memoryStore, type Progress } from '../../src/index.ts'
import { begin, noise, open, quiet, watchedStore } from './world.ts'

async function several(): Promise<Artifact> {
  const artifact = new Artifact('data', 'dataset')
  for (let n = 0; n < 5; n++) await artifact.add(noise(300_000, n + 1), { logicalPath: `part ${n}` })
  return artifact
}

describe('progress', () => {
  it('of logging begins at nothing, ends with everything, and never goes back', async () => {
    const { experiment } = await begin()
    const seen: Progress[] = []
    await experiment.logArtifact(await several(), { onProgress: (progress) => seen.push(progress) })
    expect(seen[0]).toEqual({ phase: 'logging', bytes: 0, files: 0, stored: 0, totalBytes: 1_500_000, totalFiles: 5 })
    expect(seen.at(-1)).toMatchObject({
      phase: 'done',
      bytes: 1_500_000,
      files: 5,
      totalBytes: 1_500_000,
      totalFiles: 5,
    })
    expect(seen.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1])).toEqual([
      'logging',
      'committing',
      'done',
    ])
    for (let at = 1; at < seen.length; at++) {
      expect(seen[at].bytes).toBeGreaterThanOrEqual(seen[at - 1].bytes)
      expect(seen[at].files).toBeGreaterThanOrEqual(seen[at - 1].files)
    }
    // All of it is new: what was stored is the content and a little beside it.
    expect(seen.at(-1)?.stored).toBeGreaterThan(1_500_000)
    expect(seen.at(-1)?.stored).toBeLessThan(1_510_000)
  })

  it('of downloading and verifying', async () => {
    const { experiment } = await begin()
    const logged = await experiment.logArtifact(await several())
    for (const [phase, run] of [
      ['downloading', (onProgress: (progress: Progress) => void) => logged.download(new Map(), { onProgress })],
      ['verifying', (onProgress: (progress: Progress) => void) => logged.verify(undefined, { onProgress })],
    ] as const) {
      const seen: Progress[] = []
      await run((progress) => void seen.push(progress))
      expect(seen[0]).toMatchObject({ phase, bytes: 0, totalBytes: 1_500_000, totalFiles: 5 })
      expect(seen.at(-1)).toMatchObject({ phase: 'done', bytes: 1_500_000, files: 5 })
    }
  })

  it('that throws ends the operation', async () => {
    const { tidemark, experiment } = await begin()
    const onProgress = () => {
      throw new Error('the bar broke')
    }
    await expect(experiment.logArtifact(await several(), { onProgress })).rejects.toThrow('the bar broke')
    expect(await tidemark.getArtifacts().toArray()).toEqual([])
  })
})

describe('an aborted signal', () => {
  it('stops logging at any operation of the store: all of the version is there, or nothing', async () => {
    let onOperation: (() => void) | undefined
    const { tidemark, experiment } = await begin({ store: watchedStore(() => onOperation?.()) })
    let stopped = 0
    for (;;) {
      const controller = new AbortController()
      let count = 0
      onOperation = () => void (++count > stopped && controller.abort(new Error('enough')))
      const outcome = experiment.logArtifact(await several(), { signal: controller.signal })
      const succeeded = await outcome.then(
        () => true,
        () => false,
      )
      onOperation = undefined
      const versions = await tidemark.getArtifacts().toArray()
      if (succeeded) break
      await expect(outcome).rejects.toMatchObject({
        code: 'aborted',
        category: 'AbortedError',
        cause: expect.objectContaining({ message: 'enough' }),
      })
      // Between the commit and its answer the version is there, although the caller was told otherwise: whole, then.
      for (const { name } of versions)
        expect(await (await tidemark.getArtifact(name)).verify()).toMatchObject({ ok: true, files: 5 })
      if (versions.length > 0) break
      stopped++
    }
    expect(stopped).toBeGreaterThan(2)
  })

  it('stops before anything begins', async () => {
    const { experiment } = await begin()
    const logged = await experiment.logArtifact(await several())
    const signal = AbortSignal.abort()
    const aborted = { code: 'aborted' }
    await expect(experiment.uploadArtifact('x', 1, { signal })).rejects.toMatchObject(aborted)
    await expect(experiment.getArtifact('data', { signal })).rejects.toMatchObject(aborted)
    await expect(logged.download(new Map(), { signal })).rejects.toMatchObject(aborted)
    await expect(logged.verify(undefined, { signal })).rejects.toMatchObject(aborted)
    await expect(logged.get('part 0', { signal })).rejects.toMatchObject(aborted)
    await expect(logged.getAssets({ signal })).rejects.toMatchObject(aborted)
    await expect(logged.newDraft({ signal })).rejects.toMatchObject(aborted)
    await expect(logged.diff(logged, { signal })).rejects.toMatchObject(aborted)
  })

  it('of the connection stops everything on it', async () => {
    const controller = new AbortController()
    const { tidemark, experiment } = await begin({ store: 'memory:', signal: controller.signal })
    controller.abort()
    await expect(experiment.uploadArtifact('x', arrays([1]))).rejects.toMatchObject({ code: 'aborted' })
    await expect(tidemark.getArtifacts().toArray()).rejects.toMatchObject({ code: 'aborted' })
  })
})

it('a closed connection says so', async () => {
  const { tidemark, experiment } = await begin()
  await tidemark.close()
  await expect(experiment.uploadArtifact('x', 1)).rejects.toMatchObject({ code: 'connection-closed' })
  await tidemark.close()
})

it('a connection that is closed waits for what is being logged, and watches nothing after that', async () => {
  const store = memoryStore()
  const tidemark = await open({ store })
  const experiment = await tidemark.createExperiment(quiet)
  const rows = [{ id: 1 }]
  const watching = experiment.registerArtifact('rows', rows)
  const logged = experiment.uploadArtifact('bytes', noise(3_000_000, 5))
  await tidemark.close()
  expect((await logged).size).toBe(3_000_000)
  await expect((await watching).flush()).rejects.toMatchObject({ code: 'not-watched' })
  const again = await open({ store })
  expect((await again.getArtifact('bytes')).index).toBe(0)
})
