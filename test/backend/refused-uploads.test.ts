import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { WireClient } from '../conformance/wire-client.ts'

const part = (disposition: string, content: string) =>
  `--cut\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
const file = part('name="file"; filename="a.txt"', 'content')
const end = '--cut--\r\n'

it('uploads that are refused leave no bytes behind', async () => {
  const store = memoryStore()
  const client = new WireClient(createBackend({ records: store, blobs: store }).fetch, 'http://backend.test')
  const { experimentKey: key } = await client.post('/write/experiment/create', { workspaceName: 'team' })
  const send = (path: string, query: string, body: string) =>
    client.reply('POST', `/write/experiment/${path}?experimentKey=${key}${query}`, {
      headers: { 'content-type': 'multipart/form-data; boundary=cut' },
      body,
    })
  for (const [query, body] of [
    ['&step=soon', file + end],
    ['&epoch=soon', file + end],
    [`&fileName=${'x'.repeat(2000)}`, file + end],
    ['', part('name="file"; filename="a%0Ab"', 'content') + end],
    ['', file + file + end],
    ['', file + part('name="link"', 's3://bucket/a') + end],
    ['', part('name="link"', '') + end],
    ['', file + part('name="metadata"', 'x'.repeat(1024 * 1024 + 1)) + end],
    ['', `${file}--cut within a line`],
    ['', file],
  ]) {
    expect((await client.failure(send('upload-asset', query, body))).status, query + body.slice(0, 200)).toBe(400)
    expect((await store.list('files/')).entries, query + body.slice(0, 200)).toEqual([])
  }
  for (const body of [file + file + end, `${file}--cut within a line`, part('name="link"', 's3://bucket/a') + end]) {
    expect((await client.failure(send('git/patch', '', body))).status).toBe(400)
    expect((await store.list('files/')).entries, body).toEqual([])
  }
  expect(await client.get('/experiment/asset/list', { experimentKey: String(key) })).toEqual({ assets: [] })
})

it('names of files are what their own parameter says, whatever stands in others', async () => {
  const store = memoryStore()
  const client = new WireClient(createBackend({ records: store, blobs: store }).fetch, 'http://backend.test')
  const { experimentKey } = await client.post('/write/experiment/create', { workspaceName: 'team' })
  const names = [
    [`name="file"; filename="a; filename*=UTF-8''b.txt"`, "a; filename*=UTF-8''b.txt"],
    [`filename="a; name=b.txt" ; name="file"`, 'a; name=b.txt'],
    [`name="file"; filename="x.txt"; filename*=UTF-8''na%C3%AFve.txt`, 'naïve.txt'],
    [`NAME=file; FileName=a.txt`, 'a.txt'],
  ]
  for (const [disposition] of names) {
    const reply = await client.reply('POST', `/write/experiment/upload-asset?experimentKey=${experimentKey}`, {
      headers: { 'content-type': 'multipart/form-data; boundary=cut' },
      body: part(disposition, 'content') + end,
    })
    expect(reply.status, disposition).toBe(200)
  }
  const list = await client.get<{ assets: { fileName: string }[] }>('/experiment/asset/list', {
    experimentKey: String(experimentKey),
  })
  expect(list.assets.map(({ fileName }) => fileName)).toEqual(names.map(([, name]) => name))
})
