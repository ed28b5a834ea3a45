import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { Artifact, arrays, folder, glob } from '../../src/index.ts'
import { begin, places, readAll, temporaryFolder } from './world.ts'

function dot(width: number, height: number): Buffer {
  const png = new PNG({ width, height })
  png.data.fill(200)
  return PNG.sync.write(png)
}

describe.each(places)('the program of the README on $place', ({ open }) => {
  it('logs, versions and reads back', async () => {
    const dir = await temporaryFolder()
    const photos = join(dir, 'photos')
    await mkdir(join(photos, 'deep'), { recursive: true })
    await writeFile(join(photos, 'a.png'), dot(3, 2))
    await writeFile(join(photos, 'deep', 'b.jpg'), 'not really a jpeg')
    const { tidemark, experiment } = await begin({ store: await open() })
    const rows = [
      { id: 1, label: 'rose' },
      { id: 2, label: 'tulip' },
    ]

    await experiment.uploadArtifact('predictions', rows)
    await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
    await experiment.uploadArtifact(
      'weights',
      arrays({
        w: new Float32Array(9),
        b: [
          [1, 2],
          [3, 4],
        ],
      }),
    )
    await experiment.uploadArtifact('sample', { width: 1, height: 1, data: new Uint8ClampedArray([1, 2, 3, 4]) })
    await experiment.uploadArtifact('photos', folder(photos))
    await experiment.uploadArtifact('jpegs', glob(`${photos}/**/*.jpg`))

    const names: [string, string[]][] = []
    for await (const { name } of tidemark.getArtifacts()) {
      const logged = await tidemark.getArtifact(name)
      names.push([name, (await logged.getAssets()).map((asset) => asset.logicalPath)])
    }
    expect(names).toEqual([
      ['jpegs', ['jpegs.zip']],
      ['photos', ['photos.zip']],
      ['predictions', ['predictions.arrow']],
      ['sample', ['sample.png']],
      ['settings', ['settings.json']],
      ['weights', ['weights.npz']],
    ])

    const dataset = new Artifact('flowers', 'dataset', {
      aliases: ['golden'],
      versionTags: ['raw'],
      metadata: { source: 'field' },
    })
    await dataset.add(photos, { logicalPath: 'photos' })
    await dataset.addRemote('s3://bucket/flowers/')
    const logged = await experiment.logArtifact(dataset)
    expect(logged).toMatchObject({
      name: 'flowers',
      type: 'dataset',
      index: 0,
      version: '1.0.0',
      workspace: 'default',
      project: 'flowers',
      state: 'CLOSED',
      count: 3,
    })
    expect(logged).toMatchObject({
      aliases: ['golden'],
      versionTags: ['raw'],
      metadata: { source: 'field' },
      sourceExperimentKey: experiment.key,
    })

    const again = await experiment.getArtifact('flowers:golden')
    expect(again.digest).toBe(logged.digest)
    expect(again.experimentKey).toBe(experiment.key)
    expect(await again.get('photos/deep/b.jpg')).toEqual(new Uint8Array(await readFile(join(photos, 'deep/b.jpg'))))
    expect(await readAll(await again.open('photos/a.png'))).toEqual(new Uint8Array(dot(3, 2)))
    expect(await again.download(join(dir, 'out'))).toMatchObject({
      written: ['photos/a.png', 'photos/deep/b.jpg'],
      remote: ['flowers'],
    })
    expect(await readFile(join(dir, 'out/photos/a.png'))).toEqual(dot(3, 2))
    expect(await again.verify(join(dir, 'out'))).toMatchObject({ ok: true, files: 2 })
    expect((await again.getRemoteAssets()).map(({ link }) => link)).toEqual(['s3://bucket/flowers/'])
    await experiment.end()

    await expect(experiment.uploadArtifact('late', 1)).rejects.toMatchObject({ code: 'experiment-ended' })
    expect(await (await experiment.getArtifact('settings')).get()).toEqual({ lr: 1e-3, layers: [64, 64] })
    const resumed = await tidemark.getExperiment(experiment.key)
    expect(resumed).toMatchObject({
      key: experiment.key,
      name: experiment.name,
      project: 'flowers',
      workspace: 'default',
    })
    expect((await resumed.uploadArtifact('late', 1)).version).toBe('1.0.0')
  })

  it('waits at the end until everything is committed', async () => {
    const { tidemark, experiment } = await begin({ store: await open() })
    const logging = ['a', 'b', 'c'].map((name) => experiment.uploadArtifact(name, { name }))
    await experiment.end()
    expect((await tidemark.getArtifacts().toArray()).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    await Promise.all(logging)
  })

  it('tells of experiments, workspaces and projects', async () => {
    const { tidemark, experiment } = await begin({ store: await open(), workspace: 'team' })
    await tidemark.createExperiment({ name: 'second', project: 'birds', workspace: 'other' })
    expect((await tidemark.getWorkspaces()).sort()).toEqual(['other', 'team'])
    expect((await tidemark.getProjects()).map(({ projectName }) => projectName)).toEqual(['flowers'])
    const [found] = await tidemark.getExperiments({ projectName: 'flowers' })
    expect(found).toMatchObject({ experimentKey: experiment.key, workspaceName: 'team', archived: false })
    expect(await tidemark.getExperiments({ projectId: found.projectId })).toHaveLength(1)
    expect(await tidemark.getExperiments({ workspaceName: 'other' })).toMatchObject([{ experimentName: 'second' }])
    expect(await tidemark.callApi('/workspaces')).toMatchObject({ workspaceNames: expect.arrayContaining(['team']) })
  })
})
