import { describe, expect, it } from 'vitest'
import { project, script, type Wire, workspace } from './wire.ts'
import { type Json, multipart } from './wire-client.ts'

/** What no client should send, as Comet's clients ask for it. */
export function wireBadInput(wire: Wire): void {
  describe('bad input is told apart, with a code and what to do:', () => {
    const post = (path: string, body: string, type = 'application/json') =>
      wire.client.failure(wire.client.reply('POST', path, { headers: { 'content-type': type }, body }))

    it('bodies', async () => {
      for (const body of ['{', '"text"', '[1]', '1', 'null', '{"experimentKey":1}', '\u0000'])
        expect((await post('/write/experiment/metric', body)).status).toBe(400)
      expect(await post('/write/experiment/metric', '{}', 'text/plain')).toMatchObject({ status: 400 })
      expect(await post('/write/experiment/metric', '{}')).toMatchObject({ status: 400, sdk: 90998 })
      expect(
        await post(
          '/write/experiment/html',
          JSON.stringify({ experimentKey: wire.key, html: 'x'.repeat(9 * 1024 * 1024) }),
        ),
      ).toMatchObject({ status: 413 })
      expect(await post('/write/project/create', JSON.stringify({ workspaceName: workspace }))).toMatchObject({
        sdk: 98219,
      })
      for (const name of ['', 'a\u0000b', 'a\nb', 'x'.repeat(2000), '\ud800'])
        expect(
          (
            await post(
              '/write/experiment/metric',
              JSON.stringify({ experimentKey: wire.key, metricName: name, metricValue: 1 }),
            )
          ).status,
        ).toBe(400)
      for (const name of ['a/b', 'a:b', '..', 'x'.repeat(200), '\u0007'])
        expect(
          (await post('/write/experiment/create', JSON.stringify({ workspaceName: workspace, projectName: name })))
            .status,
        ).toBe(400)
      const made = await wire.client.post('/write/artifacts/upsert', { artifactName: 'a', experimentKey: wire.key })
      for (const state of [null, '', 'closed', 7, {}, { toString: 1 }, [['CLOSED']]])
        expect(
          (await wire.client.refusal('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state }))
            .status,
          JSON.stringify(state),
        ).toBe(400)
      expect(
        await post(
          '/write/experiment/output',
          JSON.stringify({ experimentKey: wire.key, outputLines: [{ offset: 'x' }] }),
        ),
      ).toMatchObject({ status: 400 })
    })

    it('forms', async () => {
      const query = `?experimentKey=${wire.key}`
      const { body, boundary } = multipart({ file: script, metadata: '{}' })
      const send = (bytes: Uint8Array, type = `multipart/form-data; boundary=${boundary}`) =>
        wire.client.failure(
          wire.client.reply('POST', `/write/experiment/upload-asset${query}`, {
            headers: { 'content-type': type },
            body: bytes.slice(),
          }),
        )
      for (const length of [0, 1, 20, 60, 150, 200, body.length - 30, body.length - 6])
        expect(await send(body.slice(0, length)), String(length)).toMatchObject({ status: 400 })
      for (const type of ['application/json', 'multipart/form-data', 'multipart/form-data; boundary=other'])
        expect((await send(body, type)).status).toBe(400)
      expect((await send(new TextEncoder().encode(`--${boundary}--\r\n`))).status).toBe(400)
      for (const fileName of ['', '../x', '/etc/passwd', 'a\\b', 'con', '//b', 'x'.repeat(2000), '\u0000'].slice(1)) {
        const made = await wire.client.post('/write/artifacts/upsert', {
          artifactName: 'a',
          artifactType: 't',
          experimentKey: wire.key,
        })
        const reply = wire.client.uploadReply(
          '/write/experiment/upload-asset',
          { experimentKey: wire.key, fileName, artifactVersionId: String(made.artifactVersionId) },
          { file: script },
        )
        expect((await wire.client.failure(reply)).status, fileName).toBe(400)
      }
      expect((await wire.read<{ assets: Json[] }>('asset/list', { type: 'all' })).assets).toEqual([])
    })

    it('things that are not there', async () => {
      const none = 'f'.repeat(32)
      for (const path of [
        'metadata',
        'metrics/summary',
        'parameters',
        'tags',
        'html',
        'graph',
        'code',
        'output',
        'system-details',
        'git/metadata',
        'git/patch',
        'asset/list',
        'log-other',
      ])
        expect(
          await wire.client.failure(wire.client.reply('GET', `/experiment/${path}?experimentKey=${none}`)),
          path,
        ).toMatchObject({ status: 400, sdk: 90211 })
      expect(await wire.client.failure(wire.client.reply('GET', '/experiment/metadata'))).toMatchObject({ sdk: 90998 })
      expect(
        await wire.client.failure(wire.client.reply('GET', '/experiment/metadata?experimentKey=..%2F..')),
      ).toMatchObject({
        sdk: 90211,
      })
      expect(await wire.client.failure(wire.client.reply('GET', '/nowhere'))).toMatchObject({ status: 404 })
      expect(
        await wire.client.failure(
          wire.client.reply('POST', '/workspaces', { headers: { 'content-type': 'application/json' }, body: '{}' }),
        ),
      ).toMatchObject({ status: 405 })
      expect(
        (await wire.client.failure(wire.client.reply('GET', '/artifacts/version/files?artifactVersionId=x'))).status,
      ).toBe(400)
      const { projectId } = await wire.read('metadata')
      await wire.client.post('/write/project/delete', {
        deleteAllExperiments: true,
        projectName: project,
        workspaceName: workspace,
      })
      for (const path of ['experiments', 'project/column-names'])
        expect(
          await wire.client.failure(wire.client.reply('GET', `/${path}?projectId=${projectId}`)),
          path,
        ).toMatchObject({
          status: 400,
          code: 'project-not-found',
        })
    })
  })
}
