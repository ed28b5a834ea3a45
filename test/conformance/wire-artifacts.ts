import { describe, expect, it } from 'vitest'
import { project, queries, script, type Wire, workspace } from './wire.ts'
import type { Json } from './wire-client.ts'

/** Artifacts, as Comet's clients ask for it. */
export function wireArtifacts(wire: Wire): void {
  describe('artifacts', () => {
    const upsert = (body: Json = {}) =>
      wire.client.post('/write/artifacts/upsert', {
        artifactName: 'data set',
        artifactType: 'dataset',
        experimentKey: wire.key,
        ...body,
      })
    const state = (artifactVersionId: unknown, to: string) =>
      wire.client.post('/write/artifacts/state', { artifactVersionId, experimentKey: wire.key, state: to })
    const version = (query: Record<string, string>) => wire.client.get('/artifacts/version', query)
    const asset = (artifactVersionId: unknown, fileName: string, text: string, metadata?: string) =>
      wire.client.upload(
        '/write/experiment/upload-asset',
        {
          experimentKey: wire.key,
          overwrite: false,
          type: 'asset',
          fileName,
          artifactVersionId: String(artifactVersionId),
        },
        { file: { name: 'local.txt', type: 'text/plain', bytes: new TextEncoder().encode(text) }, metadata },
      )
    const log = async (files: Record<string, string>, body: Json = {}) => {
      const made = await upsert(body)
      for (const [name, text] of Object.entries(files)) await asset(made.artifactVersionId, name, text)
      await state(made.artifactVersionId, 'CLOSED')
      return made
    }

    it('are made as R makes them, and read at each step', async () => {
      const metadata = '{"a":1,"b":["x"]}'
      const made = await upsert({ alias: ['one', 'two'], versionTags: ['t'], versionMetadata: metadata })
      expect(made).toMatchObject({ currentVersion: '1.0.0', previousVersion: null })
      const own = {
        artifactId: String(made.artifactId),
        experimentKey: wire.key,
        versionId: String(made.artifactVersionId),
      }
      const open = {
        artifact: {
          artifactId: made.artifactId,
          artifactName: 'data set',
          artifactType: 'dataset',
          workspaceName: workspace,
          tags: [],
        },
        artifactVersionId: made.artifactVersionId,
        artifactVersion: '1.0.0',
        alias: ['one', 'two'],
        tags: ['t'],
        metadata,
        experimentKey: wire.key,
        state: 'OPEN',
      }
      expect(await version(own)).toMatchObject(open)
      const byName = { artifactName: 'data set', experimentKey: wire.key, consumerExperimentKey: wire.key }
      for (const query of queries(byName, { ...byName, versionOrAlias: '1.0.0' }))
        expect(
          await wire.client.failure(wire.client.reply('GET', `/artifacts/version?${new URLSearchParams(query)}`)),
        ).toMatchObject({ status: 400, sdk: 90402 })
      expect(
        await wire.client.failure(
          wire.client.reply('GET', `/artifacts/version?${new URLSearchParams({ ...byName, versionOrAlias: 'one' })}`),
        ),
      ).toMatchObject({ status: 400, sdk: 624523 })
      await asset(made.artifactVersionId, 'dir/a.txt', 'text a', '{"foo":"bar"}')
      await asset(made.artifactVersionId, 'b.txt', 'text b'.repeat(5000))
      await wire.client.upload(
        '/write/experiment/upload-asset',
        {
          experimentKey: wire.key,
          type: 'asset',
          isRemote: true,
          fileName: 'far/r.bin',
          artifactVersionId: String(made.artifactVersionId),
        },
        { link: 's3://b/k', metadata: '{"size":3}' },
      )
      await state(made.artifactVersionId, 'CLOSED')
      const closed = await version(byName)
      expect(closed).toMatchObject({
        ...open,
        state: 'CLOSED',
        alias: ['one', 'two', 'Latest'],
        sizeInBytes: 6 + 30_000,
      })
      for (const query of queries(
        own,
        { ...byName, versionOrAlias: 'two' },
        { ...byName, versionOrAlias: '1.0.0', workspace },
        { artifactId: own.artifactId, versionOrAlias: 'latest' },
      ))
        expect(await version(query)).toEqual(closed)
      const { files } = await wire.client.get<{ files: Json[] }>('/artifacts/version/files', {
        workspace,
        artifactName: 'data set',
        version: '1.0.0',
      })
      expect(files).toEqual([
        expect.objectContaining({ fileName: 'b.txt', fileSize: 30_000, remote: false, link: null, metadata: null }),
        expect.objectContaining({
          fileName: 'dir/a.txt',
          fileSize: 6,
          remote: false,
          metadata: '{"foo":"bar"}',
          artifactVersionId: made.artifactVersionId,
        }),
        expect.objectContaining({ fileName: 'far/r.bin', remote: true, link: 's3://b/k', metadata: '{"size":3}' }),
      ])
      for (const [at, text] of [
        [0, 'text b'.repeat(5000)],
        [1, 'text a'],
      ] as const) {
        const { bytes } = await wire.client.bytes('/experiment/asset/get-asset', {
          experimentKey: wire.key,
          assetId: String(files[at].assetId),
          artifactVersionId: String(made.artifactVersionId),
        })
        expect(new TextDecoder().decode(bytes)).toBe(text)
      }
      // Assets of artifacts are not among those of the experiment.
      expect((await wire.read<{ assets: Json[] }>('asset/list', { type: 'all' })).assets).toEqual([])
      const zip = await wire.client.bytes('/artifacts/version/download', {
        artifactVersionId: String(made.artifactVersionId),
        experimentKey: wire.key,
      })
      expect(zip.type).toBe('application/zip')
      expect(new TextDecoder().decode(zip.bytes.slice(0, 2))).toBe('PK')
    })

    it('count their versions, and honour numbers', async () => {
      await log({ a: '1' })
      expect(await upsert()).toMatchObject({ currentVersion: '2.0.0', previousVersion: '1.0.0' })
      await log({ a: '2' }, { version: '3.3.1' })
      const query = { artifactName: 'data set', experimentKey: wire.key }
      expect(await version(query)).toMatchObject({ artifactVersion: '3.3.1' })
      const taken = wire.client.reply('POST', '/write/artifacts/upsert', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          artifactName: 'data set',
          artifactType: 'dataset',
          experimentKey: wire.key,
          version: '3.3.1',
        }),
      })
      expect(await wire.client.failure(taken)).toMatchObject({ status: 400, sdk: 90399 })
      expect(await upsert()).toMatchObject({ currentVersion: '4.0.0', previousVersion: '3.3.1' })
      // None but closed ones are found.
      expect(await version(query)).toMatchObject({ artifactVersion: '3.3.1' })
    })

    it('move aliases when a version closes, never when one fails', async () => {
      await log({ a: '1' }, { alias: ['best'] })
      const failing = await upsert({ alias: ['best'] })
      await asset(failing.artifactVersionId, 'a', '2')
      const best = { artifactName: 'data set', experimentKey: wire.key, versionOrAlias: 'best' }
      expect(await version(best)).toMatchObject({ artifactVersion: '1.0.0', alias: ['best', 'Latest'] })
      await state(failing.artifactVersionId, 'ERROR')
      expect(await version(best)).toMatchObject({ artifactVersion: '1.0.0' })
      for (const query of queries(
        { ...best, versionOrAlias: '2.0.0' },
        { versionId: String(failing.artifactVersionId) },
      ))
        expect(
          await wire.client.failure(wire.client.reply('GET', `/artifacts/version?${new URLSearchParams(query)}`)),
        ).toMatchObject({ sdk: 90403 })
      await log({ a: '3' }, { alias: ['best'] })
      expect(await version(best)).toMatchObject({ artifactVersion: '3.0.0', alias: ['best', 'Latest'] })
      expect(await version({ ...best, versionOrAlias: '1.0.0' })).toMatchObject({ alias: [] })
    })

    it('change tags, labels and aliases one list at a time', async () => {
      const made = await log({ a: '1' }, { alias: ['x'], versionTags: ['v'] })
      const query = { artifactName: 'data set', experimentKey: wire.key }
      await wire.client.post('/write/artifacts/details', { artifactId: made.artifactId, tags: ['one'] })
      await wire.client.post('/write/artifacts/version/labels', {
        artifactVersionId: made.artifactVersionId,
        versionTags: ['w', 'u'],
      })
      expect(await version(query)).toMatchObject({
        artifact: { tags: ['one'] },
        tags: ['w', 'u'],
        alias: ['x', 'Latest'],
      })
      await wire.client.post('/write/artifacts/version/labels', {
        artifactVersionId: made.artifactVersionId,
        alias: ['y', 'z'],
      })
      expect(await version(query)).toMatchObject({ artifact: { tags: ['one'] }, tags: ['w', 'u'], alias: ['y', 'z'] })
      await wire.client.post('/write/artifacts/version/labels', { artifactVersionId: made.artifactVersionId })
      expect(await version(query)).toMatchObject({ alias: ['y', 'z'] })
      await wire.client.post('/write/artifacts/details', {
        artifactId: made.artifactId,
        artifactType: 'table',
        version: '1.0.0',
        versionMetadata: '{"b":2}',
      })
      for (const wrong of [{ version: '9.9.9', versionMetadata: '{}' }, { versionMetadata: '[' }])
        expect(
          await wire.client.refusal('/write/artifacts/details', {
            artifactId: made.artifactId,
            tags: ['two'],
            ...wrong,
          }),
        ).toMatchObject({ status: 400 })
      expect(await version(query)).toMatchObject({ metadata: '{"b":2}', artifact: { tags: ['one'] } })
      expect(await wire.client.get('/artifacts/get-all', { workspace })).toMatchObject({
        artifacts: [{ type: 'table' }],
      })
    })

    it('do not change once they are closed', async () => {
      const made = await log({ a: '1' })
      const post = (path: string, body: Json) =>
        wire.client.failure(
          wire.client.reply('POST', path, {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        )
      for (const to of ['CLOSED', 'ERROR', 'OPEN'])
        expect(
          await post('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state: to }),
        ).toMatchObject({ sdk: 90401 })
      expect(
        await post('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state: 'DONE' }),
      ).toMatchObject({ sdk: 90410 })
      const late = wire.client.uploadReply(
        '/write/experiment/upload-asset',
        { experimentKey: wire.key, fileName: 'b', artifactVersionId: String(made.artifactVersionId) },
        { file: script },
      )
      expect(await wire.client.failure(late)).toMatchObject({ sdk: 90401 })
      expect(
        (
          await wire.client.get<{ files: Json[] }>('/artifacts/version/files', {
            artifactVersionId: String(made.artifactVersionId),
          })
        ).files,
      ).toHaveLength(1)
    })

    it('of a folder whose name R ends with a slash', async () => {
      const made = await log({ 'data//a.csv': '1', 'data//deep///b.csv': '2' }, {})
      const { files } = await wire.client.get<{ files: Json[] }>('/artifacts/version/files', {
        artifactVersionId: String(made.artifactVersionId),
      })
      expect(files.map(({ fileName }) => fileName)).toEqual(['data/a.csv', 'data/deep/b.csv'])
    })

    it('that were all deleted leave an artifact without any', async () => {
      const made = await log({ a: '1' }, {})
      await wire.client.get('/write/artifacts/version/delete', { artifactVersionId: String(made.artifactVersionId) })
      for (const query of queries({ workspace, artifactName: 'data set' }, { artifactId: String(made.artifactId) }))
        expect(await wire.client.get('/artifacts/get', query)).toMatchObject({
          artifactId: made.artifactId,
          latestVersion: null,
          versions: [],
        })
    })

    it('that were never closed can be deleted', async () => {
      for (const fails of [true, false]) {
        const made = await upsert({ alias: ['best'] })
        if (fails) await state(made.artifactVersionId, 'ERROR')
        const deletion = () =>
          wire.client.get('/write/artifacts/version/delete', { artifactVersionId: String(made.artifactVersionId) })
        const reading = (query: Record<string, string>) =>
          wire.client.failure(wire.client.reply('GET', `/artifacts/version?${new URLSearchParams(query)}`))
        expect((await reading({ artifactId: String(made.artifactId), alias: 'best' })).msg).toContain('never closed')
        await deletion()
        expect(await reading({ versionId: String(made.artifactVersionId) })).toMatchObject({ sdk: 624523 })
        await expect(deletion()).rejects.toThrow('624523')
      }
    })

    it('without assets, of one path twice, and unknown ones', async () => {
      const empty = await upsert()
      await state(empty.artifactVersionId, 'CLOSED')
      expect(await version({ artifactName: 'data set', workspace })).toMatchObject({ sizeInBytes: 0 })
      const made = await upsert()
      await asset(made.artifactVersionId, 'a', 'text')
      await asset(made.artifactVersionId, 'a', 'text')
      const other = { file: { ...script, bytes: new TextEncoder().encode('other') } }
      const query = { experimentKey: wire.key, fileName: 'a', artifactVersionId: String(made.artifactVersionId) }
      expect(
        await wire.client.failure(wire.client.uploadReply('/write/experiment/upload-asset', query, other)),
      ).toMatchObject({
        code: 'asset-exists',
      })
      await wire.client.upload('/write/experiment/upload-asset', { ...query, overwrite: true }, other)
      await state(made.artifactVersionId, 'CLOSED')
      const { files } = await wire.client.get<{ files: Json[] }>('/artifacts/version/files', {
        artifactVersionId: String(made.artifactVersionId),
      })
      expect(files).toEqual([expect.objectContaining({ fileName: 'a', fileSize: 5 })])
      for (const unknown of queries(
        { artifactName: 'none', workspace },
        { artifactName: 'data set', workspace, versionOrAlias: '9.9.9' },
        { artifactName: 'data set', workspace, versionOrAlias: 'nobody' },
      ))
        expect(
          await wire.client.failure(wire.client.reply('GET', `/artifacts/version?${new URLSearchParams(unknown)}`)),
        ).toMatchObject({ status: 400, sdk: 624523 })
    })

    it('are listed, described, deleted; and know their consumers', async () => {
      const made = await log({ a: '1' }, { alias: ['x'] })
      await log({ a: '2' })
      await version({
        artifactName: 'data set',
        experimentKey: wire.key,
        consumerExperimentKey: wire.key,
        versionOrAlias: 'x',
      })
      expect(
        await wire.client.get('/artifacts/version/consumers', { artifactVersionId: String(made.artifactVersionId) }),
      ).toMatchObject({ consumers: [{ experimentKey: wire.key, experimentName: 'first' }] })
      expect(await wire.client.get('/artifacts/get-all', { workspace })).toMatchObject({
        artifacts: [{ artifactId: made.artifactId, name: 'data set', type: 'dataset', project, versionsCount: 2 }],
      })
      expect(await wire.client.get('/artifacts/get', { workspace, artifactName: 'data set' })).toMatchObject({
        latestVersion: '2.0.0',
        versions: [
          { version: '2.0.0', alias: ['Latest'], state: 'CLOSED' },
          { version: '1.0.0', alias: ['x'] },
        ],
      })
      const failed = await upsert({ version: '5.0.0', alias: ['y'] })
      await state(failed.artifactVersionId, 'ERROR')
      await upsert({ versionTags: ['t'] })
      expect(await wire.client.get('/artifacts/get', { workspace, artifactName: 'data set' })).toMatchObject({
        latestVersion: '2.0.0',
        versions: [
          { version: '6.0.0', state: 'OPEN', tags: ['t'], alias: [] },
          { version: '5.0.0', state: 'ERROR', alias: ['y'] },
          { version: '2.0.0', state: 'CLOSED', alias: ['Latest'] },
          { version: '1.0.0', state: 'CLOSED' },
        ],
      })
      await wire.client.get('/write/artifacts/version/delete', { artifactVersionId: String(made.artifactVersionId) })
      // What was deleted does not count, the open and the failed one do.
      expect(await wire.client.get('/artifacts/get-all', { workspace })).toMatchObject({
        artifacts: [{ name: 'data set', versionsCount: 3 }],
      })
      expect(await wire.client.get('/artifacts/get', { artifactId: String(made.artifactId) })).toMatchObject({
        versions: [{ version: '6.0.0' }, { version: '5.0.0' }, { version: '2.0.0' }],
      })
      await wire.client.get('/write/artifacts/delete', { artifactId: String(made.artifactId) })
      expect(await wire.client.get('/artifacts/get-all', { workspace })).toEqual({ artifacts: [] })
    })
  })
}
