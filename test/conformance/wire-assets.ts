import { expect, it } from 'vitest'
import { script, type Wire } from './wire.ts'
import type { Json } from './wire-client.ts'

/** Files of an experiment, as Comet's clients ask for it. */
export function wireAssets(wire: Wire): void {
  it('assets: names, metadata and text as they were, links, overwriting', async () => {
    const metadata = '{"foo":"bar"}'
    await wire.client.upload(
      '/write/experiment/upload-asset',
      { experimentKey: wire.key, type: 'asset' },
      { file: script, metadata },
    )
    await wire.client.upload(
      '/write/experiment/upload-asset',
      { experimentKey: wire.key, isRemote: true, type: 'asset', overwrite: false },
      { link: 's3://bucket/dir/data.csv', metadata: '{ "a" : [1] }' },
    )
    const list = async (type = 'all') => (await wire.read<{ assets: Json[] }>('asset/list', { type })).assets
    expect(await list()).toEqual([
      expect.objectContaining({
        fileName: 'sample-script.R',
        fileSize: 6,
        remote: false,
        link: null,
        type: 'asset',
        metadata,
      }),
      expect.objectContaining({
        fileName: 'data.csv',
        fileSize: 0,
        remote: true,
        link: 's3://bucket/dir/data.csv',
        type: 'asset',
        metadata: '{ "a" : [1] }',
      }),
    ])
    const [{ assetId }] = await list()
    expect(
      await wire.client.bytes('/experiment/asset/get-asset', { experimentKey: wire.key, assetId: String(assetId) }),
    ).toEqual({ type: 'text/plain; charset=utf-8', bytes: script.bytes })
    const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) >>> 3)
    const upload = (fileName: string, overwrite: boolean, from = bytes) =>
      wire.client.upload(
        '/write/experiment/upload-asset',
        { experimentKey: wire.key, fileName, overwrite, type: 'image', step: 3, context: 'train' },
        { file: { name: 'x.png', type: 'image/png', bytes: from } },
      )
    await upload('plots/a & b.png', false)
    await upload('plots/a & b.png', true, bytes.subarray(1))
    expect(await list('image')).toEqual([
      expect.objectContaining({
        fileName: 'plots/a & b.png',
        dir: 'plots',
        step: 3,
        runContext: 'train',
        fileSize: 199_999,
        image: true,
      }),
    ])
    await upload('plots/a & b.png', false)
    const [, again] = await list('image')
    expect(
      await wire.client.bytes('/experiment/asset/get-asset', {
        experimentKey: wire.key,
        assetId: String(again.assetId),
      }),
    ).toEqual({ type: 'application/octet-stream', bytes })
    const part = await wire.client.reply(
      'GET',
      `/experiment/asset/get-asset?experimentKey=${wire.key}&assetId=${again.assetId}`,
      { headers: { range: 'bytes=100-199' } },
    )
    expect([part.status, part.headers.get('content-range'), new Uint8Array(await part.arrayBuffer())]).toEqual([
      206,
      'bytes 100-199/200000',
      bytes.slice(100, 200),
    ])
    const etag = String(part.headers.get('etag'))
    for (const [ifRange, status] of [
      [etag, 206],
      ['"another"', 200],
      [`W/${etag}`, 200],
      ['Sun, 29 Nov 2026 15:00:00 GMT', 200],
    ] as const) {
      const rest = await wire.client.reply(
        'GET',
        `/experiment/asset/get-asset?experimentKey=${wire.key}&assetId=${again.assetId}`,
        { headers: { range: 'bytes=100-', 'if-range': ifRange } },
      )
      expect([rest.status, (await rest.arrayBuffer()).byteLength], ifRange).toEqual([
        status,
        status === 206 ? 199_900 : 200_000,
      ])
    }
    await wire.client.get('/write/experiment/asset/delete', { experimentKey: wire.key, assetId: String(again.assetId) })
    expect(await list('image')).toHaveLength(1)
    expect(
      await wire.client.failure(
        wire.client.reply('GET', `/experiment/asset/get-asset?experimentKey=${wire.key}&assetId=${again.assetId}`),
      ),
    ).toMatchObject({ code: 'asset-not-found' })
  })
}
