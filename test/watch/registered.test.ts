import { describe, expect, it } from 'vitest'
import type { RegisteredArtifact } from '../../src/index.ts'
import { begin, places } from '../client/world.ts'
import { decoded, versionsOf } from './support.ts'

const flowers = () => [
  { id: 1, label: 'rose', petals: 5 },
  { id: 2, label: 'tulip', petals: 6 },
  { id: 3, label: 'iris', petals: 3 },
]

/** The next event of this name. */
function next<Name extends 'version' | 'error'>(artifact: RegisteredArtifact, name: Name) {
  return new Promise<
    Parameters<Extract<Parameters<typeof artifact.addEventListener<Name>>[1], (...args: never) => unknown>>[0]
  >((resolve) => artifact.addEventListener(name, resolve, { once: true }))
}

describe.each(places)('a watched table over $place', ({ open: openStore }) => {
  it('becomes a version when it is registered, and one for each change that is noticed', async () => {
    const { experiment } = await begin({ store: await openStore() })
    const rows = flowers()
    const train = await experiment.registerArtifact('train', rows, { metadata: { split: 'train' }, interval: 10 })
    expect(train.name).toBe('train')
    expect(train.source).toBe(rows)
    expect(train.latest?.version).toBe('1.0.0')
    expect(await decoded(train.latest)).toEqual(flowers())
    rows[1].label = 'lily'
    const { version, logged } = await next(train, 'version')
    expect(version).toBe('2.0.0')
    expect(train.latest).toBe(logged)
    expect(logged.metadata).toEqual({ split: 'train' })
    expect(await decoded(logged)).toEqual(rows)
    await experiment.end()
    expect(await versionsOf(experiment, 'train')).toHaveLength(2)
  })

  it('is looked at a last time at the end, and when its block is left', async () => {
    const { tidemark, experiment } = await begin({ store: await openStore() })
    const rows = flowers()
    {
      await using inner = await tidemark.createExperiment()
      await inner.registerArtifact('train', rows)
      rows.push({ id: 4, label: 'aster', petals: 34 })
    }
    expect(await decoded(await experiment.getArtifact('train'))).toEqual(rows)
    await experiment.registerArtifact('train', rows)
    rows.pop()
    await experiment.end()
    expect(await decoded(await experiment.getArtifact('train:v2'))).toEqual(flowers())
    expect(experiment.getRegisteredArtifacts().size).toBe(0)
  })
})
