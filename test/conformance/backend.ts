import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { restPrefix, routes } from '../../src/protocol/routes.ts'
import type { ArtifactWire, CommitReply, CommitRequest, PageReply, VersionWire } from '../../src/protocol/shapes.ts'
import { Caller, type Fetch, noise } from './backend-caller.ts'

export interface OpenedBackend {
  readonly fetch: Fetch
  dispose(): Promise<void>
}

/**
 * What every backend does, asked through `fetch` alone. `open` gives one over empty stores.
 *
 * @param committers how many commits of one artifact run at once, and how many each makes.
 */
export function backendConformance(
  name: string,
  open: () => Promise<OpenedBackend>,
  committers = { count: 8, commits: 10 },
): void {
  describe(`backend over ${name}`, () => {
    let backend: OpenedBackend
    let call: Caller

    beforeEach(async () => {
      backend = await open()
      call = new Caller((request) => backend.fetch(request))
    })
    afterEach(() => backend.dispose())

    const versions = (artifact: string, query = '') =>
      call.json<PageReply<VersionWire>>('GET', routes.versions('default', artifact) + query)

    describe('packs', () => {
      it('gives whole packs and ranges, clamped, and refuses ranges beyond', async () => {
        const { version } = await call.log('big', { 'a.bin': noise(30_000) })
        const { reply, bytes } = await call.range(version.manifest?.pack ?? '')
        expect(reply.status).toBe(200)
        expect(reply.headers.get('etag')).toBe(`"${version.manifest?.pack}"`)
        const pack = version.manifest?.pack ?? ''
        const some = await call.range(pack, 'bytes=5-104')
        expect(some.reply.status).toBe(206)
        expect(some.reply.headers.get('content-range')).toBe(`bytes 5-104/${bytes.length}`)
        expect(some.bytes).toEqual(bytes.slice(5, 105))
        expect((await call.range(pack, 'bytes=-7')).bytes).toEqual(bytes.slice(-7))
        expect((await call.range(pack, `bytes=${bytes.length - 3}-`)).bytes).toEqual(bytes.slice(-3))
        expect((await call.range(pack, `bytes=3-${bytes.length + 999}`)).bytes).toEqual(bytes.slice(3))
        const beyond = await call.range(pack, `bytes=${bytes.length}-`)
        expect(beyond.reply.status).toBe(416)
        expect(beyond.reply.headers.get('content-range')).toBe(`bytes */${bytes.length}`)
        expect((await call.range(pack, 'bytes=-0')).reply.status).toBe(416)
        // Forms that need not be understood: the whole.
        for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=9-3', 'bytes=-'])
          expect((await call.range(pack, range)).bytes).toEqual(bytes)
        await call.putPack(pack, bytes)
      })

      it('gives the small pack of a record in the same way', async () => {
        const { version } = await call.log('small', { 'a.txt': 'hello' })
        expect(version.manifest?.pack).toBe('*')
        const { reply, bytes } = await call.range('@default/small:0')
        expect(reply.status).toBe(200)
        expect((await call.range('@default/small:0', 'bytes=2-5')).bytes).toEqual(bytes.slice(2, 6))
        expect((await call.range('@default/small:1')).reply.status).toBe(404)
      })

      it('stores nothing that is not the pack it is named', async () => {
        const { version } = await call.log('big', { 'a.bin': noise(30_000) })
        const pack = version.manifest?.pack ?? ''
        const { bytes } = await call.range(pack)
        const other = 'ab'.repeat(32)
        const put = async (id: string, body: Uint8Array) => {
          const reply = await backend.fetch(
            new Request(`http://x${routes.pack(id)}`, { method: 'PUT', body: body.slice() }),
          )
          return reply.status
        }
        expect(await put(other, bytes)).toBeGreaterThanOrEqual(400)
        expect(await put(other, new Uint8Array(0))).toBeGreaterThanOrEqual(400)
        expect(await put(other, noise(500))).toBeGreaterThanOrEqual(400)
        expect(await put('no-pack', bytes)).toBe(400)
        expect(await put(other, new Uint8Array(20 * 1024 * 1024))).toBe(413)
        expect((await call.range(other)).reply.status).toBe(404)
        expect((await call.range('@../x:0')).reply.status).toBe(400)
      })
    })

    describe('versions', () => {
      it('are v0, v1, ... and 1.0.0, 2.0.0, ...; read back as they were written', async () => {
        const first = await call.log('flowers', { 'a.txt': 'one', 'b/c.bin': noise(100_000) })
        expect(first.created).toBe(true)
        expect(first.version).toMatchObject({
          index: 0,
          version: '1.0.0',
          name: 'flowers',
          type: 'dataset',
          parent: null,
        })
        const second = await call.log('flowers', { 'a.txt': 'two' }, { baseVersion: first.version })
        expect(second.version).toMatchObject({ index: 1, version: '2.0.0', parent: 0 })
        expect(await call.files(await call.version('flowers'))).toEqual({ 'a.txt': 'two' })
        expect(Object.keys(await call.files(await call.version('flowers', 'v0')))).toEqual(['a.txt', 'b/c.bin'])
        expect(await call.version('flowers', '1.0.0')).toEqual(await call.version('flowers', 'v0'))
      })

      it('are found by index, number, alias, or as the latest', async () => {
        await call.log('flowers', { a: '0' }, { aliases: ['golden', 'old'], version: '1.5.0' })
        await call.log('flowers', { a: '1' }, { aliases: ['golden'] })
        await call.log('flowers', { a: '2' }, { version: '1.2.3' })
        await call.log('flowers', { a: '3' })
        const indexOf = async (select: string) => (await call.version('flowers', select)).index
        expect(await indexOf('golden')).toBe(1)
        expect(await indexOf('old')).toBe(0)
        expect(await indexOf('1.5.0')).toBe(0)
        expect(await indexOf('2.0.0')).toBe(1)
        expect(await indexOf('1.2.3')).toBe(2)
        expect(await indexOf('3.0.0')).toBe(3)
        expect(await indexOf('v2')).toBe(2)
        for (const latest of ['latest', 'Latest', '']) expect(await indexOf(latest)).toBe(3)
        const path = routes.versions('default', 'flowers')
        for (const absent of ['v4', '4.0.0', '1.0.0', 'gold'])
          expect(await call.failure('GET', `${path}?select=${absent}`)).toMatchObject({
            status: 404,
            code: 'version-not-found',
          })
        expect(await call.failure('GET', `${path}?select=3`)).toMatchObject({ status: 400, code: 'ambiguous-version' })
        expect((await call.failure('GET', `${path}?select=gold`)).msg).toContain('golden')
        expect(await call.failure('GET', `${routes.versions('default', 'trees')}?select=v0`)).toMatchObject({
          status: 404,
          code: 'artifact-not-found',
        })
      })

      it('keep their numbers unique, whether asked for or given', async () => {
        await call.log('flowers', { a: '0' }, { version: '3.0.0' })
        await call.log('flowers', { a: '1' }, { version: '1.0.0' })
        expect((await call.log('flowers', { a: '2' })).version.version).toBe('4.0.0')
        for (const version of ['3.0.0', '1.0.0', '4.0.0'])
          expect(
            await call.failure(
              'POST',
              routes.versions('default', 'flowers'),
              call.request(await call.write({ a: 'x' }), { version }),
            ),
          ).toMatchObject({ status: 409, code: 'version-exists', sdk: 90399 })
        expect((await call.log('flowers', { a: '3' }, { version: '4.0.1' })).version).toMatchObject({
          index: 3,
          version: '4.0.1',
        })
        expect((await call.log('flowers', { a: '4' })).version.version).toBe('5.0.0')
      })

      it('are not made anew of equal content with nothing new beside it', async () => {
        const { version } = await call.log(
          'flowers',
          { a: 'same' },
          { metadata: { split: 'train' }, description: 'about' },
        )
        const nothingNew: Partial<CommitRequest>[] = [
          {},
          { metadata: {} },
          { metadata: { split: 'train' } },
          { description: 'about' },
          { version: '1.0.0' },
        ]
        for (const extra of nothingNew)
          expect(await call.log('flowers', { a: 'same' }, extra)).toEqual({ version, created: false })
        expect(await call.log('flowers', { a: 'same' }, { assetsDiffer: false })).toEqual({ version, created: false })
        const labelled = await call.log('flowers', { a: 'same' }, { aliases: ['best'], versionTags: ['t'] })
        expect(labelled).toMatchObject({ created: false, version: { index: 0, aliases: ['best'], versionTags: ['t'] } })
        expect(await call.version('flowers', 'best')).toEqual(labelled.version)
        expect(await call.log('flowers', { a: 'same' }, { metadata: { split: 'test' } })).toMatchObject({
          created: true,
          version: { index: 1, description: 'about' },
        })
        expect(await call.log('flowers', { a: 'same' }, { description: 'else' })).toMatchObject({ created: true })
        expect(await call.log('flowers', { a: 'same' }, { assetsDiffer: true })).toMatchObject({ created: true })
        expect(await call.log('flowers', { a: 'same' }, { version: '9.0.0' })).toMatchObject({ created: true })
      })

      it('made once by a request sent twice, also when others came between', async () => {
        const request = call.request(await call.write({ a: 'mine' }), { aliases: ['mine'] })
        const first = await call.commit('flowers', request)
        expect(await call.commit('flowers', request)).toEqual(first)
        for (let other = 0; other < 5; other++) await call.log('flowers', { a: String(other) })
        const again = await call.commit('flowers', request)
        expect(again.version).toEqual(first.version)
        expect((await versions('flowers')).items).toHaveLength(6)
      })

      it('move aliases at commit, and never take a version number or the latest for one', async () => {
        await call.log('flowers', { a: '0' }, { aliases: ['a', 'b', 'latest'] })
        const { version } = await call.log('flowers', { a: '1' }, { aliases: ['c', 'a', 'c', '__proto__'] })
        expect(version.aliases).toEqual(['c', 'a', '__proto__'])
        expect((await call.version('flowers', 'v0')).aliases).toEqual(['b'])
        const written = await call.write({ a: '2' })
        for (const alias of ['v3', 'V3', '1.0.0', '7', 'a/b', 'a:b', '', 'x'.repeat(129)])
          expect(
            (
              await call.failure(
                'POST',
                routes.versions('default', 'flowers'),
                call.request(written, { aliases: [alias] }),
              )
            ).status,
          ).toBe(400)
      })

      it('keep the type of their artifact', async () => {
        await call.log('flowers', { a: '0' })
        const request = call.request(await call.write({ a: '1' }), { type: 'model' })
        expect(await call.failure('POST', routes.versions('default', 'flowers'), request)).toMatchObject({
          status: 409,
          code: 'artifact-type-differs',
        })
      })

      it('are not made of what is not stored, nor of what is no commit', async () => {
        const good = call.request(await call.write({ 'a.bin': noise(30_000) }))
        const { writeId, ...nameless } = good
        const bad: [unknown, number][] = [
          [{ ...good, packs: ['ab'.repeat(32)] }, 404],
          [{ ...good, packs: ['../../etc/passwd'] }, 400],
          [{ ...good, base: { workspace: 'default', name: 'flowers', index: 7 } }, 404],
          [{ ...good, manifest: { ...good.manifest, offset: -1 } }, 400],
          [{ ...good, manifest: null }, 400],
          [{ ...good, digest: 'x' }, 400],
          [{ ...good, size: '12' }, 400],
          [{ ...good, size: -1 }, 400],
          [{ ...good, metadata: 'text' }, 400],
          [{ ...good, inlinePack: 'AAAA' }, 400],
          [{ ...good, inlinePack: '%%%' }, 400],
          [{ ...good, colour: 'red' }, 400],
          [{ ...good, version: '1.0' }, 400],
          [{ ...good, experimentKey: 'f'.repeat(32) }, 404],
          [{ ...good, writeId: 'a b' }, 400],
          [nameless, 400],
          [[], 400],
          ['text', 400],
          [null, 400],
        ]
        for (const [body, status] of bad)
          expect(
            await call.failure('POST', routes.versions('default', 'flowers'), body),
            JSON.stringify(body),
          ).toMatchObject({ status })
        expect(await call.failure('GET', routes.artifact('default', 'flowers'))).toMatchObject({
          code: 'artifact-not-found',
        })
      })

      it('are listed newest first, in pages', async () => {
        for (let index = 0; index < 7; index++) await call.log('flowers', { a: String(index) })
        await call.json('DELETE', routes.version('default', 'flowers', 4))
        const seen: number[] = []
        let next: string | undefined
        do {
          const page: PageReply<VersionWire> = await versions(
            'flowers',
            `?limit=2${next === undefined ? '' : `&after=${next}`}`,
          )
          expect(page.items.length).toBeLessThanOrEqual(2)
          seen.push(...page.items.map(({ index }) => index))
          next = page.next
        } while (next !== undefined)
        expect(seen).toEqual([6, 5, 3, 2, 1, 0])
      })

      it(`of ${committers.count} writers at once are gapless, and each write is there once`, async () => {
        const written = await Promise.all(
          Array.from({ length: committers.count }, (_, writer) => call.write({ a: String(writer) })),
        )
        const own = written.map((one, writer) =>
          Array.from({ length: committers.commits }, (_, at) =>
            call.request(one, { metadata: { writer, at }, aliases: [`writer-${writer}`] }),
          ),
        )
        const replies: CommitReply[] = []
        await Promise.all(
          own.map(async (requests) => {
            for (const request of requests) replies.push(await call.commit('busy', request))
          }),
        )
        const total = committers.count * committers.commits
        expect(replies.map(({ version }) => version.index).sort((a, b) => a - b)).toEqual(
          Array.from({ length: total }, (_, at) => at),
        )
        expect(new Set(replies.map(({ version }) => version.version)).size).toBe(total)
        const { items } = await versions('busy', '?limit=1000')
        expect(items.map(({ index }) => index)).toEqual(Array.from({ length: total }, (_, at) => total - 1 - at))
        expect(new Set(items.map(({ metadata }) => JSON.stringify(metadata))).size).toBe(total)
        expect((await call.version('busy')).index).toBe(total - 1)
        for (let writer = 0; writer < committers.count; writer++) {
          const newest = items.find(({ metadata }) => metadata?.writer === writer)
          expect((await call.version('busy', `writer-${writer}`)).index).toBe(newest?.index)
        }
      })

      it('of writers who all want one number: one gets it', async () => {
        await call.log('flowers', { a: 'first' })
        const outcomes = await Promise.all(
          Array.from({ length: 6 }, async (_, writer) => {
            const version = writer % 2 === 0 ? '7.7.7' : undefined
            const request = call.request(
              await call.write({ a: String(writer) }),
              version === undefined ? {} : { version },
            )
            return (await call.ask('POST', routes.versions('default', 'flowers'), { body: request })).status
          }),
        )
        expect(outcomes.filter((status) => status === 200)).toHaveLength(4)
        expect(outcomes.filter((status) => status === 409)).toHaveLength(2)
        const { items } = await versions('flowers')
        expect(new Set(items.map(({ version }) => version)).size).toBe(items.length)
        expect(items).toHaveLength(5)
      })
    })

    describe('names', () => {
      it('of any script and spelling are kept apart', async () => {
        const names = [
          'Train',
          'train',
          'café',
          'con',
          'a.',
          'nul.txt',
          'a b',
          '*?"<>|\\',
          '訓練'.repeat(64),
          '😀',
          '~',
          '%2e%2e',
          '__proto__',
          'v3',
          'head',
          '#?&=+',
        ]
        for (const name of names) await call.log(name, { a: name })
        for (const name of names) expect(await call.files(await call.version(name))).toEqual({ a: name })
        const { items } = await call.json<PageReply<ArtifactWire>>('GET', `${routes.artifacts()}?limit=1000`)
        expect(items.map(({ name }) => name).sort()).toEqual([...names].sort())
        // NFC and NFD are one name.
        expect((await call.version('cafe\u0301')).name).toBe('café')
      })

      it('that lead elsewhere are refused', async () => {
        const written = await call.write({ a: 'x' })
        for (const name of ['a/b', 'a:b', '', '\u0000', 'a\nb', '\u0085', 'x'.repeat(129)])
          expect(
            (await call.failure('POST', routes.versions('default', name), call.request(written))).status,
          ).toBeGreaterThanOrEqual(400)
        expect(await call.failure('GET', `${routes.artifacts()}/default/%E0%A4%A`)).toMatchObject({
          status: 400,
          code: 'invalid-url',
        })
      })
    })

    describe('artifacts', () => {
      it('are listed by workspace and type, in pages', async () => {
        const elsewhere = new Caller(call.fetch, 'team')
        for (const name of ['c', 'a', 'b', 'a-b', 'a0'])
          await call.log(name, { x: name }, { type: name === 'b' ? 'model' : 'dataset' })
        await call.log('a', { x: 'again' })
        await elsewhere.log('z', { x: 'z' })
        const list = (query: string) => call.json<PageReply<ArtifactWire>>('GET', routes.artifacts() + query)
        const names = (page: PageReply<ArtifactWire>) => page.items.map(({ name }) => name)
        expect(names(await list('?workspace=team'))).toEqual(['z'])
        expect(names(await list('?type=model'))).toEqual(['b'])
        const all = names(await list(''))
        expect([...all].sort()).toEqual(['a', 'a-b', 'a0', 'b', 'c', 'z'])
        const paged: string[] = []
        let next: string | undefined
        do {
          const page: PageReply<ArtifactWire> = await list(
            `?limit=1${next === undefined ? '' : `&after=${encodeURIComponent(next)}`}`,
          )
          paged.push(...names(page))
          next = page.next
        } while (next !== undefined)
        expect(paged).toEqual(all)
        expect(await call.json('GET', routes.artifact('default', 'a'))).toMatchObject({
          latest: 1,
          versions: 2,
          type: 'dataset',
        })
        for (const query of ['?limit=0', '?limit=1001', '?limit=x', '?colour=red', '?after=x'])
          expect((await call.failure('GET', routes.artifacts() + query)).status).toBe(400)
      })
    })

    describe('deleting', () => {
      it('a version hides it, keeps its numbers used, and moves the latest', async () => {
        await call.log('flowers', { a: '0' }, { aliases: ['x'] })
        await call.log('flowers', { a: '1' })
        await call.log('flowers', { a: '2' }, { aliases: ['y'], version: '9.0.0' })
        await call.json('DELETE', routes.version('default', 'flowers', 2))
        expect((await call.version('flowers')).index).toBe(1)
        for (const select of ['v2', 'y', '9.0.0'])
          expect(await call.failure('GET', `${routes.versions('default', 'flowers')}?select=${select}`)).toMatchObject({
            code: 'version-not-found',
          })
        expect(await call.failure('DELETE', routes.version('default', 'flowers', 2))).toMatchObject({
          status: 404,
          code: 'version-not-found',
        })
        expect(await call.failure('DELETE', routes.version('default', 'flowers', 9))).toMatchObject({ status: 404 })
        const wanted = call.request(await call.write({ a: 'z' }), { version: '9.0.0' })
        expect(await call.failure('POST', routes.versions('default', 'flowers'), wanted)).toMatchObject({
          code: 'version-exists',
        })
        expect((await call.log('flowers', { a: '3' })).version).toMatchObject({ index: 3, version: '10.0.0' })
        const base = call.request(await call.write({ a: '4' }), {
          base: { workspace: 'default', name: 'flowers', index: 2 },
        })
        expect(await call.failure('POST', routes.versions('default', 'flowers'), base)).toMatchObject({
          status: 409,
          code: 'base-gone',
        })
      })

      it('all versions leaves an artifact without a latest one', async () => {
        await call.log('flowers', { a: '0' })
        await call.json('DELETE', routes.version('default', 'flowers', 0))
        expect(await call.json('GET', routes.artifact('default', 'flowers'))).toMatchObject({
          latest: null,
          versions: 0,
          next: 1,
        })
        expect(await call.failure('GET', `${routes.versions('default', 'flowers')}?select=latest`)).toMatchObject({
          code: 'version-not-found',
        })
        // Equal content is a new version now: the old one is gone.
        expect(await call.log('flowers', { a: '0' })).toMatchObject({
          created: true,
          version: { index: 1, version: '2.0.0' },
        })
      })

      it('an artifact hides all of it; logging again goes on with the numbers', async () => {
        for (const a of ['0', '1']) await call.log('flowers', { a }, { aliases: ['x'] })
        await call.json('DELETE', routes.artifact('default', 'flowers'))
        for (const path of [
          routes.artifact('default', 'flowers'),
          routes.versions('default', 'flowers'),
          `${routes.versions('default', 'flowers')}?select=x`,
        ])
          expect(await call.failure('GET', path)).toMatchObject({ status: 404, code: 'artifact-not-found' })
        expect((await call.json<PageReply<ArtifactWire>>('GET', routes.artifacts())).items).toEqual([])
        expect(await call.failure('DELETE', routes.artifact('default', 'flowers'))).toMatchObject({
          code: 'artifact-not-found',
        })
        const { version } = await call.log('flowers', { a: 'new' }, { type: 'model' })
        expect(version).toMatchObject({ index: 2, version: '3.0.0', type: 'model', aliases: [] })
        expect((await versions('flowers')).items.map(({ index }) => index)).toEqual([2])
        expect(await call.failure('GET', routes.version('default', 'flowers', 1))).toMatchObject({
          code: 'version-not-found',
        })
      })
    })

    describe('experiments', () => {
      const create = (body: object) =>
        call.rest<{ experimentKey: string; workspaceName: string; projectName: string; link: string; name: string }>(
          'POST',
          '/write/experiment/create',
          body,
        )

      it('are created, read, listed and ended', async () => {
        const one = await create({ workspaceName: 'team', projectName: 'flowers', experimentName: 'first' })
        const two = await create({ workspaceName: 'team', projectName: 'trees' })
        expect(one).toMatchObject({ workspaceName: 'team', projectName: 'flowers', name: 'first' })
        expect(one.experimentKey).toMatch(/^[0-9a-f]{32}$/)
        expect(one.link).toContain(one.experimentKey)
        const key = 'a1'.repeat(16)
        const given = { experimentKey: key, workspaceName: 'team', projectName: 'flowers', experimentName: 'given' }
        expect(await create(given)).toEqual(await create(given))
        expect(
          await call.failure('POST', `${restPrefix}/write/experiment/create`, { ...given, projectName: 'trees' }),
        ).toMatchObject({ status: 400, code: 'experiment-exists', sdk: 90999 })
        const listed = await call.rest<{ experiments: { experimentKey: string }[] }>(
          'GET',
          '/experiments?workspaceName=team&projectName=flowers&archived=FALSE',
        )
        expect(listed.experiments.map(({ experimentKey }) => experimentKey).sort()).toEqual(
          [one.experimentKey, key].sort(),
        )
        expect(await call.rest('GET', '/workspaces')).toEqual({ workspaceNames: ['team'] })
        const { projects } = await call.rest<{
          projects: { projectName: string; projectId: string; numberOfExperiments: number }[]
        }>('GET', '/projects?workspaceName=team')
        expect(
          projects.map(({ projectName, numberOfExperiments }) => [projectName, numberOfExperiments]).sort(),
        ).toEqual([
          ['flowers', 2],
          ['trees', 1],
        ])
        const trees = projects.find(({ projectName }) => projectName === 'trees')
        expect(await call.rest('GET', `/experiments?projectId=${trees?.projectId}`)).toMatchObject({
          experiments: [{ experimentKey: two.experimentKey }],
        })
        await call.rest('POST', '/write/experiment/set-start-end-time', { experimentKey: key, startTimeMillis: 5 })
        await call.json('POST', routes.endExperiment(key), { endTime: 9 })
        await call.json('POST', routes.endExperiment(key))
        expect(await call.rest('GET', `/experiment/metadata?experimentKey=${key}`)).toMatchObject({
          experimentName: 'given',
          startTimeMillis: 5,
          endTimeMillis: 9,
          running: false,
          archived: false,
          durationMillis: 4,
        })
        expect(
          await call.failure('GET', `${restPrefix}/experiment/metadata?experimentKey=${'b'.repeat(32)}`),
        ).toMatchObject({ status: 400, code: 'experiment-not-found' })
      })

      it('are told by the versions they logged, and know what they read', async () => {
        const { experimentKey } = await create({ workspaceName: 'default', projectName: 'flowers' })
        const { version } = await call.log('flowers', { a: '0' }, { experimentKey })
        expect(version).toMatchObject({ experimentKey, project: 'flowers' })
        await call.json('POST', routes.inputs(experimentKey), { workspace: 'default', name: 'flowers', index: 0 })
        await call.rest(
          'GET',
          `/artifacts/version?artifactName=flowers&experimentKey=${experimentKey}&consumerExperimentKey=${experimentKey}`,
        )
        const inputs = await call.json<PageReply<object>>('GET', routes.inputs(experimentKey))
        expect(inputs.items).toHaveLength(1)
        expect(inputs.items[0]).toMatchObject({ workspace: 'default', name: 'flowers', index: 0 })
        expect(
          await call.failure('POST', routes.inputs(experimentKey), { workspace: 'default', name: 'flowers', index: 1 }),
        ).toMatchObject({ code: 'version-not-found' })
      })
    })

    describe("Comet's routes", () => {
      it('find a version in each way its clients ask', async () => {
        const { experimentKey } = await call.rest<{ experimentKey: string }>('POST', '/write/experiment/create', {
          workspaceName: 'default',
        })
        const { version } = await call.log(
          'flowers',
          { 'a.txt': 'text' },
          { experimentKey, aliases: ['b', 'a'], versionTags: ['t2', 't1'], metadata: { foo: 'bar' } },
        )
        const ask = (query: string) => call.rest<Record<string, unknown>>('GET', `/artifacts/version?${query}`)
        const found = await ask(
          `artifactId=${version.artifactId}&versionId=${version.versionId}&experimentKey=${experimentKey}`,
        )
        expect(found).toMatchObject({
          artifactVersionId: version.versionId,
          artifactVersion: '1.0.0',
          alias: ['b', 'a', 'Latest'],
          tags: ['t2', 't1'],
          metadata: '{"foo":"bar"}',
          experimentKey,
          artifact: {
            artifactId: version.artifactId,
            artifactName: 'flowers',
            artifactType: 'dataset',
            workspaceName: 'default',
            tags: [],
          },
          tidemark: version,
        })
        for (const query of [
          `artifactName=flowers&experimentKey=${experimentKey}`,
          `artifactName=flowers&experimentKey=${experimentKey}&versionOrAlias=a`,
          `artifactName=flowers&workspace=default&versionOrAlias=1.0.0`,
          `artifactName=default%2Fflowers%3Ab`,
          `artifactId=${version.artifactId}&versionOrAlias=latest`,
          `workspace=default&artifactName=flowers&version=1.0.0`,
          `workspace=default&artifactName=flowers&alias=b`,
        ])
          expect(await ask(query)).toEqual(found)
        for (const query of [
          'artifactName=flowers&workspace=default&versionOrAlias=c',
          'artifactName=trees&workspace=default',
        ])
          expect(await call.failure('GET', `${restPrefix}/artifacts/version?${query}`)).toMatchObject({
            status: 400,
            sdk: 624523,
          })
        for (const query of [
          'artifactId=%2e%2e',
          'versionId=abc',
          'artifactName=flowers',
          `versionId=${version.versionId}9999999999`,
        ])
          expect((await call.failure('GET', `${restPrefix}/artifacts/version?${query}`)).status).toBe(400)
      })

      it('list files and give their bytes, whole or in part', async () => {
        const blob = noise(200_000)
        const { version } = await call.log('flowers', { 'a/b.txt': 'héllo', 'c.bin': blob })
        const { files } = await call.rest<{
          files: { assetId: string; fileName: string; fileSize: number; remote: boolean; metadata: null }[]
        }>('GET', '/artifacts/version/files?workspace=default&artifactName=flowers&version=1.0.0')
        expect(files.map(({ fileName, fileSize, remote, metadata }) => [fileName, fileSize, remote, metadata])).toEqual(
          [
            ['a/b.txt', 6, false, null],
            ['c.bin', 200_000, false, null],
          ],
        )
        const get = (assetId: string, headers: Record<string, string> = {}) =>
          call.ask(
            'GET',
            `${restPrefix}/experiment/asset/get-asset?experimentKey=x&assetId=${assetId}&artifactVersionId=${version.versionId}`,
            { headers },
          )
        const text = await get(files[0].assetId)
        expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8')
        expect(await text.text()).toBe('héllo')
        const whole = await get(files[1].assetId)
        expect(whole.headers.get('content-type')).toBe('application/octet-stream')
        expect(whole.headers.get('content-length')).toBe('200000')
        expect(new Uint8Array(await whole.arrayBuffer())).toEqual(blob)
        const part = await get(files[1].assetId, { range: 'bytes=99999-100999' })
        expect(part.status).toBe(206)
        expect(part.headers.get('content-range')).toBe('bytes 99999-100999/200000')
        expect(new Uint8Array(await part.arrayBuffer())).toEqual(blob.slice(99_999, 101_000))
        expect((await get(files[1].assetId, { range: 'bytes=200000-' })).status).toBe(416)
        expect((await get('x')).status).toBe(400)
      })

      it('replace tags, aliases and metadata, each without touching the others', async () => {
        const { version } = await call.log(
          'flowers',
          { a: '0' },
          { aliases: ['one'], versionTags: ['t'], metadata: { m: 1 } },
        )
        await call.log('flowers', { a: '1' }, { aliases: ['two'] })
        const labels = (body: object) =>
          call.rest('POST', '/write/artifacts/version/labels', { artifactVersionId: version.versionId, ...body })
        const now = () => call.version('flowers', 'v0')
        await labels({ alias: ['x', 'two', 'y'] })
        expect(await now()).toMatchObject({ aliases: ['x', 'two', 'y'], versionTags: ['t'], metadata: { m: 1 } })
        expect((await call.version('flowers', 'v1')).aliases).toEqual([])
        await labels({ versionTags: 'only', versionMetadata: '{"n":2}' })
        expect(await now()).toMatchObject({ aliases: ['x', 'two', 'y'], versionTags: ['only'], metadata: { n: 2 } })
        await labels({ alias: [] })
        await call.rest('POST', '/write/artifacts/details', { artifactId: version.artifactId, tags: ['p', 'q'] })
        expect(await now()).toMatchObject({ aliases: [], versionTags: ['only'], artifactTags: ['p', 'q'] })
        expect((await versions('flowers')).items[1]).toMatchObject({ versionTags: ['only'], metadata: { n: 2 } })
        expect((await call.log('flowers', { a: '2' })).version.artifactTags).toEqual(['p', 'q'])
        expect(
          (
            await call.failure('POST', `${restPrefix}/write/artifacts/version/labels`, {
              artifactVersionId: `${version.artifactId}.99`,
              alias: ['z'],
            })
          ).sdk,
        ).toBe(624523)
      })
    })

    describe('every failure is an answer', () => {
      it('with our error in the envelope', async () => {
        expect(await call.failure('GET', '/')).toMatchObject({ status: 404, code: 'unknown-route' })
        expect(await call.failure('GET', `${restPrefix}/nowhere`)).toMatchObject({ status: 404, code: 'unknown-route' })
        const reply = await call.ask('DELETE', routes.capabilities())
        expect(reply.status).toBe(405)
        expect(reply.headers.get('allow')).toBe('GET')
        expect(await call.json('GET', `/${routes.capabilities()}`)).toMatchObject({ tidemark: 1 })
        const posted = (headers: Record<string, string>, body: string) =>
          backend.fetch(new Request(`http://x${routes.versions('default', 'a')}`, { method: 'POST', headers, body }))
        expect((await posted({ 'content-type': 'application/json' }, '{')).status).toBe(400)
        expect((await posted({ 'content-type': 'application/json' }, '[[[[')).status).toBe(400)
        expect((await posted({ 'content-type': 'text/plain' }, '{}')).status).toBe(400)
        expect(
          (
            await posted(
              { 'content-type': 'application/json' },
              `{"metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
            )
          ).status,
        ).toBe(400)
      })

      it('also when the asker has gone', async () => {
        const reply = await backend.fetch(new Request(`http://x${routes.artifacts()}`, { signal: AbortSignal.abort() }))
        expect(reply.status).toBe(499)
      })
    })
  })
}
