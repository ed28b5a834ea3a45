import { describe, expect, it } from 'vitest'
import { Artifact, memoryStore, type Store } from '../../src/index.ts'
import { begin, open, quiet } from './world.ts'

/** A store in memory, or one given, that notes each key it is asked to read or to write. */
function noting(store: Store = memoryStore()) {
  const read: string[] = []
  const written: { key: string; size: number }[] = []
  const noted: Store = {
    uri: store.uri,
    get: (key, options) => {
      read.push(key)
      return store.get(key, options)
    },
    put: (key, bytes, options) => {
      written.push({ key, size: bytes.length })
      return store.put(key, bytes, options)
    },
    delete: (key, options) => store.delete(key, options),
    list: async (prefix, options) => {
      const page = await store.list(prefix, options)
      if (options?.values) read.push(...page.entries.map(({ key }) => key))
      return page
    },
  }
  return { store: noted, read, written }
}

const sum = (written: readonly { size: number }[]) => written.reduce((bytes, { size }) => bytes + size, 0)
const distinct = (written: readonly { key: string }[]) => new Set(written.map(({ key }) => key)).size

describe('what small jobs cost, in objects and bytes', () => {
  it('logging a small dict writes three objects: the version record, with everything in it, the head, and a note of who made it', async () => {
    const { store, written } = noting()
    const { experiment } = await begin({ store })
    written.length = 0
    await experiment.uploadArtifact('settings', { lr: 0.001 })
    expect(written.map(({ key }) => key)).toEqual([
      'artifacts/default/settings/v/0000000000',
      'artifacts/default/settings/head',
      expect.stringMatching(/^outputs\/.*\/default\/settings\/0000000000$/),
    ])
    expect(sum(written)).toBeLessThan(2000)
  })

  it('an equal value writes nothing', async () => {
    const { store, written } = noting()
    const { experiment } = await begin({ store })
    await experiment.uploadArtifact('settings', { lr: 0.001 })
    written.length = 0
    await experiment.uploadArtifact('settings', { lr: 0.001 })
    expect(written).toEqual([])
  })

  it('one of 100,000 assets is read through at most 5 objects; one is added for a few kB', {
    timeout: 300_000,
  }, async () => {
    const { store, written } = noting()
    const { tidemark, experiment } = await begin({ store })
    const artifact = new Artifact('many', 'dataset')
    for (let i = 0; i < 100_000; i++) {
      const bytes = Uint8Array.of(i, i >> 8, i >> 16)
      await artifact.add(bytes, { logicalPath: `part-${i % 97}/${i}.bin` })
    }
    const logged = await experiment.logArtifact(artifact)
    expect(logged.count).toBe(100_000)

    const reading = noting(store)
    const other = await open({ store: reading.store })
    const again = await other.getArtifact('many')
    expect(await again.get('part-90/54313.bin')).toEqual(Uint8Array.of(54_313 & 255, 54_313 >> 8, 0))
    expect(new Set(reading.read).size).toBeLessThanOrEqual(5)

    // And no less of it: a second asset goes through pages that were read.
    reading.read.length = 0
    await again.get('part-90/54313.bin')
    expect(new Set(reading.read).size).toBeLessThanOrEqual(5)

    const draft = await logged.newDraft()
    await draft.add('one more', { logicalPath: 'part-13/more.txt' })
    written.length = 0
    await (await tidemark.createExperiment(quiet)).logArtifact(draft)
    const stored = written.filter(({ key }) => !/^(experi|outputs|projects|runs)/.test(key))
    expect(distinct(stored)).toBeLessThanOrEqual(3)
    expect(sum(stored)).toBeLessThan(10_000)
  })
})
