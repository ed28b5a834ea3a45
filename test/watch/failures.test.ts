import { describe, expect, it } from 'vitest'
import { memoryStore, type Store, UnavailableError } from '../../src/index.ts'
import { begin } from '../client/world.ts'
import { decoded, indexesOf, never, nextVersion, often } from './support.ts'

interface Gate {
  readonly store: Store
  /** Fails so many of the next writes of version records. */
  fail(times: number, point?: 'before' | 'after'): void
  /** Holds the next write of a version record until the function it gives is called; `reached` resolves when it is held. */
  hold(): { readonly reached: Promise<void>; release(): void }
}

/** A store whose commits can be made to fail or to wait. */
function gatedStore(): Gate {
  const store = memoryStore()
  let failures = 0
  let point: 'before' | 'after' = 'before'
  let gate: { reach(): void; readonly open: Promise<void> } | undefined
  const fault = () => new UnavailableError('The disk is full, on purpose.', { code: 'disk-full' })
  return {
    store: {
      ...store,
      put: async (key, bytes, options) => {
        if (!/\/v\/\d+$/.test(key)) return store.put(key, bytes, options)
        if (gate) {
          const { reach, open } = gate
          gate = undefined
          reach()
          await open
        }
        const fails = failures > 0
        if (fails) failures -= 1
        if (fails && point === 'before') throw fault()
        const done = await store.put(key, bytes, options)
        if (fails) throw fault()
        return done
      },
    },
    fail: (times, at = 'before') => {
      failures = times
      point = at
    },
    hold: () => {
      let release: () => void = () => undefined
      const open = new Promise<void>((resolve) => {
        release = resolve
      })
      const reached = new Promise<void>((resolve) => {
        gate = { reach: resolve, open }
      })
      return { reached, release: () => release() }
    },
  }
}

const rowsOf = (...values: number[]) => values.map((value, id) => ({ id, value }))

describe('a store that fails', () => {
  it('is tried again, with the newest state, until it works; each failure is an event', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1, 2, 3)
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    const errors: unknown[] = []
    const committed = nextVersion(watched)
    const failed = new Promise<void>((resolve) =>
      watched.addEventListener('error', ({ error }) => {
        errors.push(error)
        expect(watched.pending).toBe(true)
        rows[2].value += 1
        if (errors.length === 3) resolve()
      }),
    )
    gate.fail(3)
    rows[0].value = 10
    await failed
    const logged = await committed
    expect(errors).toHaveLength(3)
    for (const error of errors) expect(error).toMatchObject({ code: 'disk-full' })
    expect(logged.index).toBe(1)
    expect(await decoded(logged)).toEqual(rowsOf(10, 2, 6))
    expect(watched.pending).toBe(false)
  })

  it('fails a flush and the end, and loses nothing', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    gate.fail(2)
    rows[0].value = 2
    await expect(watched.flush()).rejects.toMatchObject({ code: 'disk-full' })
    await expect(experiment.end()).rejects.toMatchObject({ code: 'disk-full' })
    await experiment.end()
    expect(await decoded(await experiment.getArtifact('table'))).toEqual(rows)
    expect(await indexesOf(experiment, 'table', 4)).toEqual([0, 1])
  })

  it('that lost only its answer makes no second version of the same', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    const noticed = nextVersion(watched)
    gate.fail(1, 'after')
    rows[0].value = 2
    await expect(watched.flush()).rejects.toMatchObject({ code: 'disk-full' })
    await watched.flush()
    expect((await noticed).index).toBe(1)
    expect(await indexesOf(experiment, 'table', 4)).toEqual([0, 1])
  })

  it('fails the registration, after which nothing is watched', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    gate.fail(1)
    const rows = rowsOf(1)
    await expect(experiment.registerArtifact('table', rows, { interval: often })).rejects.toMatchObject({
      code: 'disk-full',
    })
    expect(experiment.getRegisteredArtifacts().size).toBe(0)
    expect((await experiment.registerArtifact('table', rows)).latest?.index).toBe(0)
  })

  it('on leaving the block: the block rejects, and what went wrong in it is kept beside', async () => {
    const gate = gatedStore()
    const { tidemark } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    const leave = async () => {
      await using experiment = await tidemark.createExperiment()
      await experiment.registerArtifact('table', rows, { interval: never })
      rows[0].value = 2
      gate.fail(1)
      throw new RangeError('training failed')
    }
    await expect(leave()).rejects.toMatchObject({
      error: { code: 'disk-full' },
      suppressed: { message: 'training failed' },
    })
  })

  it('is no reason to lose the last edits when the block is left by an error', async () => {
    const { tidemark, experiment: reader } = await begin()
    const rows = rowsOf(1)
    const leave = async () => {
      await using experiment = await tidemark.createExperiment()
      await experiment.registerArtifact('table', rows, { interval: never })
      rows[0].value = 2
      throw new RangeError('training failed')
    }
    await expect(leave()).rejects.toThrow('training failed')
    expect(await decoded(await reader.getArtifact('table'))).toEqual(rows)
  })
})

describe('edits while a version is committed', () => {
  it('are the next version, and none overtakes another', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    const seen: number[] = []
    watched.addEventListener('version', ({ logged }) => seen.push(logged.index))
    const { reached, release } = gate.hold()
    rows[0].value = 2
    await reached
    expect(watched.pending).toBe(true)
    for (let value = 3; value < 10; value++) {
      rows[0].value = value
      await new Promise((resolve) => setTimeout(resolve, often))
    }
    release()
    await watched.flush()
    expect(seen).toEqual([1, 2])
    expect(await decoded(await experiment.getArtifact('table:v1'))).toEqual(rowsOf(2))
    expect(await decoded(watched.latest)).toEqual(rowsOf(9))
  })

  it('are in the last version of an experiment that ends meanwhile', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    await experiment.registerArtifact('table', rows, { interval: often })
    const { reached, release } = gate.hold()
    rows[0].value = 2
    await reached
    rows[0].value = 3
    const ended = experiment.end()
    release()
    await ended
    expect(await decoded(await experiment.getArtifact('table'))).toEqual(rowsOf(3))
    expect(await indexesOf(experiment, 'table', 5)).toEqual([0, 1, 2])
  })

  it('and back again: the last version is the table as it is', async () => {
    const gate = gatedStore()
    const { experiment } = await begin({ store: gate.store })
    const rows = rowsOf(1)
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    const { reached, release } = gate.hold()
    rows[0].value = 2
    const flushed = watched.flush()
    await reached
    rows[0].value = 1
    release()
    await flushed
    await experiment.end()
    expect(await decoded(await experiment.getArtifact('table'))).toEqual(rowsOf(1))
    expect(await indexesOf(experiment, 'table', 5)).toEqual([0, 1, 2])
  })

  it('of a large table, in the middle of its reading, are in the last version', async () => {
    const { experiment } = await begin()
    const count = 300_000
    const columns = { id: new Int32Array(count), note: Array.from({ length: count }, (_, row) => `note ${row}`) }
    const watched = await experiment.registerArtifact('table', columns, { interval: 1 })
    const stop = new AbortController()
    let edits = 0
    const editing = (async () => {
      for (; !stop.signal.aborted; edits++) {
        // Both in one turn: a version that has one without the other was read in parts.
        columns.id[0] = edits
        columns.note[count - 1] = `note ${edits}`
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    })()
    for (let versions = 0; versions < 3; versions++) await nextVersion(watched)
    stop.abort()
    await editing
    await experiment.end()
    const last = await decodedEnds(await experiment.getArtifact('table'))
    expect(last).toEqual([edits - 1, `note ${edits - 1}`])
  })
})

async function decodedEnds(version: { get(): Promise<unknown> }): Promise<unknown[]> {
  const table = await version.get()
  if (typeof table !== 'object' || table === null || !('getChild' in table) || typeof table.getChild !== 'function')
    throw new TypeError('No table came back.')
  const [id, note] = [table.getChild('id'), table.getChild('note')]
  return [id.get(0), note.get(note.length - 1)]
}
