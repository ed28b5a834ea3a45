import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { type ConnectOptions, memoryStore } from '../../src/index.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { open, quiet } from './world.ts'

const writers = 8
const commits = 4

function server() {
  const store = memoryStore()
  return createBackend({ records: store, blobs: store }).fetch
}

const places: [name: string, options: () => ConnectOptions][] = [
  ['one store', () => ({ store: memoryStore() })],
  ['a server', () => ({ url: 'https://server.example', fetch: server() })],
  ['a server without routes of our own', () => ({ url: 'https://server.example', fetch: onlyComet(server()) })],
]

it.each(places)(
  'eight writers on one artifact of %s: versions without gaps, and each alias on one of them',
  async (_, options) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('best', 'golden', 'new'), { maxLength: 2 }), {
          minLength: writers * commits,
          maxLength: writers * commits,
        }),
        async (aliases) => {
          const place = options()
          const logged = await Promise.all(
            Array.from({ length: writers }, async (_one, writer) => {
              const tidemark = await open(place)
              const experiment = await tidemark.createExperiment(quiet)
              const made: { index: number; version: string; n: number; aliases: string[] }[] = []
              for (let commit = 0; commit < commits; commit++) {
                const n = writer * commits + commit
                const given = [...new Set(aliases[n])]
                const { index, version } = await experiment.uploadArtifact('data', { n }, { aliases: given })
                made.push({ index, version, n, aliases: given })
              }
              await experiment.end()
              return made
            }),
          )
          const tidemark = await open(place)
          const versions = (await tidemark.getVersions('data').toArray()).reverse()
          const all = Array.from({ length: writers * commits }, (_one, index) => index)
          expect(versions.map(({ index }) => index)).toEqual(all)
          expect(versions.map(({ version }) => version)).toEqual(all.map((index) => `${index + 1}.0.0`))
          const mine = logged.flat()
          expect(mine.map(({ version }) => version).sort()).toEqual(versions.map(({ version }) => version).sort())
          for (const { version, n } of mine) {
            const found = versions.find((one) => one.version === version)
            expect(await found?.get()).toEqual({ n })
          }
          for (const alias of ['best', 'golden', 'new']) {
            const holders = versions.filter((one) => one.aliases.includes(alias))
            const givers = mine.filter((one) => one.aliases.includes(alias))
            expect(holders).toHaveLength(givers.length === 0 ? 0 : 1)
            if (holders.length === 0) continue
            expect(givers.map(({ version }) => version)).toContain(holders[0].version)
            expect((await tidemark.getArtifact(`data:${alias}`)).version).toBe(holders[0].version)
          }
        },
      ),
      { numRuns: 3 },
    )
  },
)
