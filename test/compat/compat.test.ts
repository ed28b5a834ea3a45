import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/index.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name)

describe.each(folders)('a store written by Tidemark %s', (version) => {
  it('is read as it was written', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'tidemark-compat-'))
    try {
      await cp(join(here, version, 'store'), copy, { recursive: true })
      const tidemark = await connect({ store: copy })
      for (const { assets, ...about } of JSON.parse(await readFile(join(here, version, 'expected.json'), 'utf8'))) {
        const logged = await tidemark.getArtifact(`${about.name}:v${about.index}`)
        expect(logged).toMatchObject(about)
        const found = new Map((await logged.getAssets()).map((asset) => [asset.logicalPath, asset]))
        for (const [path, type, size, digest] of assets) expect(found.get(path)).toMatchObject({ type, size, digest })
        expect(await logged.verify()).toMatchObject({ ok: true })
        for (const asset of found.values()) if (!asset.remote) await asset.get()
      }
      await expect(tidemark.getArtifact('gone')).rejects.toMatchObject({ code: 'version-not-found' })
      // And it goes on from there.
      const experiment = await tidemark.createExperiment()
      expect((await experiment.uploadArtifact('gone', 'again')).index).toBe(1)
      await tidemark.close()
    } finally {
      await rm(copy, { recursive: true })
    }
  })
})
