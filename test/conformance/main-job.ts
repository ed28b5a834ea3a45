import { Table } from 'apache-arrow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  Artifact,
  arrays,
  type ConnectOptions,
  connect,
  folder,
  memoryStore,
  type Store,
  type Tidemark,
} from '../../src/index.ts'
import { sameBytes } from '../bytes.ts'
import { fileList } from '../sources/handles.ts'
import { checkFixedValues, fixedDigests, logFixedValues, noise } from './fixed-values.ts'

export interface OpenedPlace {
  /** Where all is kept in the end. */
  readonly store: Store
  /** How to reach it; default the store itself. */
  readonly options?: ConnectOptions
  dispose(): Promise<void> | void
}

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** What users do: log, version, edit, read back. `open` gives an empty store; nothing else is asked of the runtime. */
export function mainJobConformance(name: string, open: () => Promise<OpenedPlace>): void {
  describe(`the main job over ${name}`, () => {
    let place: OpenedPlace
    let tidemark: Tidemark
    const reach = () => connect({ project: 'flowers', ...(place.options ?? { store: place.store }) })
    beforeEach(async () => {
      place = await open()
      tidemark = await reach()
    })
    afterEach(async () => {
      await tidemark.close()
      await place.dispose()
    })

    it('logs a value of each kind, each under its name, and reads them back', async () => {
      const experiment = await tidemark.createExperiment()
      const rows = [
        { petals: 5, label: 'rose' },
        { petals: 3, label: null },
      ]
      const dot = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 4) }
      await experiment.uploadArtifact('predictions', rows)
      await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
      await experiment.uploadArtifact('weights', arrays({ w: new Float32Array(9).fill(2) }))
      await experiment.uploadArtifact('sample', dot)
      await experiment.uploadArtifact('photos', folder(fileList({ 'photos/a.jpg': 'A', 'photos/b/c.jpg': 'C' })))
      await experiment.uploadArtifact('prompt', 'You are a botanist.')
      await experiment.uploadArtifact('report', new File(['a,b\n'], 'report.csv'))
      await experiment.uploadArtifact('blob', new Blob([bytesOf('blob')]).stream())
      await experiment.end()

      const paths: string[] = []
      for await (const { name } of tidemark.getArtifacts()) {
        const logged = await tidemark.getArtifact(name)
        expect(logged).toMatchObject({ index: 0, version: '1.0.0', state: 'CLOSED', project: 'flowers' })
        expect(await logged.verify()).toMatchObject({ ok: true, files: 1 })
        const [asset] = await logged.getAssets()
        expect(await asset.preview()).toMatchObject({ kind: expect.any(String) })
        paths.push(asset.logicalPath)
      }
      expect(paths).toEqual([
        'blob',
        'photos.zip',
        'predictions.arrow',
        'prompt.txt',
        'report.csv',
        'sample.png',
        'settings.json',
        'weights.npz',
      ])
      const get = async (name: string) => (await tidemark.getArtifact(name)).get()
      expect(rowsOf(await get('predictions'))).toEqual(rows)
      expect(await get('settings')).toEqual({ lr: 1e-3, layers: [64, 64] })
      expect(await get('weights')).toMatchObject({ w: { data: new Float32Array(9).fill(2), shape: [9] } })
      expect(await get('sample')).toMatchObject({ ...dot, channels: 4 })
      expect(await get('photos')).toEqual(
        new Map([
          ['a.jpg', bytesOf('A')],
          ['b/c.jpg', bytesOf('C')],
        ]),
      )
      expect(await get('prompt')).toBe('You are a botanist.')
      expect(await get('report')).toEqual(bytesOf('a,b\n'))
      expect(await get('blob')).toEqual(bytesOf('blob'))
    })

    it('versions count, equal content makes none, an alias moves, and only the change is stored', async () => {
      // Nothing beside the table is written meanwhile, such as the code of the program.
      const experiment = await tidemark.createExperiment({ keepActive: false, logCode: false, logSystemDetails: false })
      const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, word: `word ${(id * 7919) % 997}` }))
      const first = await experiment.uploadArtifact('train', rows, { aliases: ['golden'] })
      expect((await experiment.uploadArtifact('train', rows)).id).toBe(first.id)
      const before = await bytesIn(place.store)
      rows[7777].word = 'changed'
      const second = await experiment.uploadArtifact('train', rows, { aliases: ['golden'] })
      expect(second).toMatchObject({ index: 1, version: '2.0.0' })
      expect((await bytesIn(place.store)) - before).toBeLessThan(6_000)
      expect((await tidemark.getArtifact('train:golden')).index).toBe(1)
      expect(rowsOf(await (await tidemark.getArtifact('train:v0')).get())[7777]).toEqual({ id: 7777, word: 'word 376' })
      expect(rowsOf(await second.get())).toEqual(rows)
    })

    it('a watched table becomes a version for each change, and is looked at a last time at the end', async () => {
      const experiment = await tidemark.createExperiment()
      const rows = Array.from({ length: 3000 }, (_, id) => ({ id, label: `label ${id % 7}` }))
      const train = await experiment.registerArtifact('train', rows, { interval: 5 })
      rows[1234].label = 'changed'
      await train.flush()
      expect(train.latest).toMatchObject({ index: 1, version: '2.0.0' })
      rows.push({ id: 3000, label: 'late' })
      await experiment.end()
      const last = await tidemark.getArtifact('train')
      expect(last.index).toBe(2)
      expect(rowsOf(await last.get())).toEqual(rows)
    })

    it('artifacts of many assets: drafts, differences, links, downloads into memory', async () => {
      const experiment = await tidemark.createExperiment()
      const dataset = new Artifact('flowers', 'dataset', {
        aliases: ['golden'],
        versionTags: ['raw'],
        metadata: { n: 1 },
      })
      await dataset.add(folder(fileList({ 'photos/a.jpg': 'A', 'photos/b.jpg': 'B' })), { logicalPath: 'photos' })
      await dataset.add({ layers: [64] }, { logicalPath: 'config.json' })
      await dataset.addRemote('s3://bucket/flowers/')
      const logged = await experiment.logArtifact(dataset)
      expect(logged).toMatchObject({ index: 0, count: 4, aliases: ['golden'], versionTags: ['raw'] })

      const draft = await logged.newDraft()
      draft.remove('photos/a.jpg')
      await draft.add(bytesOf('new'), { logicalPath: 'photos/c.jpg' })
      const next = await experiment.logArtifact(draft)
      const { added, removed, changed } = await logged.diff(next)
      expect([added, removed, changed].map((list) => list.map(({ path }) => path))).toEqual([
        ['photos/c.jpg'],
        ['photos/a.jpg'],
        [],
      ])
      const files = new Map<string, Uint8Array>()
      await next.download(files)
      expect([...files.keys()].sort()).toEqual(['config.json', 'photos/b.jpg', 'photos/c.jpg'])
      expect(files.get('photos/c.jpg')).toEqual(bytesOf('new'))
      expect(
        sameBytes(new Uint8Array(await new Response(await next.open('photos/b.jpg')).arrayBuffer()), bytesOf('B')),
      ).toBe(true)
    })

    it('goes on where another connection stopped', async () => {
      const experiment = await tidemark.createExperiment({ name: 'first' })
      await experiment.uploadArtifact('settings', { lr: 1 })
      await tidemark.close()
      tidemark = await reach()
      const resumed = await tidemark.getExperiment(experiment.key)
      expect(resumed).toMatchObject({ name: 'first', project: 'flowers' })
      expect((await resumed.uploadArtifact('settings', { lr: 2 })).index).toBe(1)
    })

    it('refuses with a code what can never work, and names what is not there', async () => {
      const experiment = await tidemark.createExperiment()
      await experiment.uploadArtifact('settings', { lr: 1 })
      await expect(experiment.uploadArtifact('a/b', 1)).rejects.toMatchObject({ category: 'InvalidInputError' })
      await expect(experiment.uploadArtifact('f', { deep: [() => 1] })).rejects.toMatchObject({
        category: 'InvalidInputError',
        message: expect.stringContaining('deep[0]'),
      })
      await expect(tidemark.getArtifact('setings')).rejects.toMatchObject({ code: 'artifact-not-found' })
      await expect(tidemark.getArtifact('settings:v9')).rejects.toMatchObject({ code: 'version-not-found' })
      const abort = AbortSignal.abort()
      const artifact = new Artifact('late', 'dataset')
      await artifact.add({ a: 1 }, { logicalPath: 'a.json' })
      await expect(experiment.logArtifact(artifact, { signal: abort })).rejects.toMatchObject({ code: 'aborted' })
    })

    it('damage in the store is found, never given out as data', async () => {
      const experiment = await tidemark.createExperiment()
      const logged = await experiment.uploadArtifact('bytes', noise())
      for (const { key } of (await place.store.list('')).entries) {
        if (!key.includes('pack')) continue
        const bytes = (await place.store.get(key))?.bytes.slice() ?? new Uint8Array(0)
        bytes[bytes.length >> 1] ^= 1
        await place.store.put(key, bytes)
      }
      await expect(logged.get()).rejects.toMatchObject({ category: 'CorruptionError' })
    })

    it('fixed values have the digests they have everywhere', async () => {
      expect(await logFixedValues(place.store)).toEqual(fixedDigests)
      await checkFixedValues(place.store)
    })
  })
}

/** A store in memory, for `mainJobConformance`. */
export const inMemory = async (): Promise<OpenedPlace> => ({ store: memoryStore(), dispose: () => undefined })

async function bytesIn(store: Store): Promise<number> {
  let sum = 0
  for (let after = ''; ; ) {
    const { entries, next } = await store.list('', after === '' ? {} : { after })
    sum += entries.reduce((bytes, { size }) => bytes + size, 0)
    if (next === undefined) return sum
    after = next
  }
}

function rowsOf(value: unknown): Record<string, unknown>[] {
  if (!(value instanceof Table)) throw new TypeError('not a table')
  return value.toArray().map((row) => row.toJSON())
}
