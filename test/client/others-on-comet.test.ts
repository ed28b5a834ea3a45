import { describe, expect, it } from 'vitest'
import { writeZip } from '../../src/codecs/zip/zip-writer.ts'
import type { Experiment } from '../../src/index.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { bytesOf, open, quiet } from './world.ts'

/** Comet, and another client of it. */
async function begin() {
  const comet = cometDouble('k')
  const tidemark = await open({ url: 'https://comet.example', apiKey: 'k', workspace: 'team', fetch: comet.fetch })
  const experiment = await tidemark.createExperiment(quiet)
  const send = async (path: string, search: Record<string, string>, body: FormData) => {
    const url = `https://comet.example/api/rest/v2${path}?${new URLSearchParams({ experimentKey: experiment.key, ...search })}`
    const answer = await comet.fetch(new Request(url, { method: 'POST', headers: { authorization: 'k' }, body }))
    expect(answer.status).toBe(200)
  }
  return { tidemark, experiment, send }
}

function formOf(parts: Readonly<Record<string, string | Blob>>): FormData {
  const form = new FormData()
  for (const [name, part] of Object.entries(parts)) form.append(name, part)
  return form
}

async function zipOf(path: string, text: string): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for await (const piece of writeZip([{ path, body: bytesOf(text) }])) pieces.push(new Uint8Array(piece))
  return new Blob(pieces)
}

/** A version of one file and one object of a bucket, as other clients make it. */
async function logAsOthers(
  experiment: Experiment,
  send: Awaited<ReturnType<typeof begin>>['send'],
  call: (path: string, body: object) => Promise<unknown>,
) {
  const made = await call('/write/artifacts/upsert', {
    experimentKey: experiment.key,
    artifactName: 'flowers',
    artifactType: 'dataset',
  })
  const artifactVersionId = String(Reflect.get(Object(made), 'artifactVersionId'))
  const search = { artifactVersionId, type: 'asset' }
  await send('/write/experiment/upload-asset', { ...search, fileName: 'a.csv' }, formOf({ file: new Blob(['a,b\n']) }))
  const metadata = JSON.stringify({ synced: true, checksum: 'abc', file_size: 7, version_id: 'v9', s3_platform: 'aws' })
  const link = formOf({ link: 's3://bucket/b.csv', metadata })
  await send('/write/experiment/upload-asset', { ...search, fileName: 'b.csv', isRemote: 'TRUE' }, link)
  await call('/write/artifacts/state', { experimentKey: experiment.key, artifactVersionId, state: 'CLOSED' })
}

describe('what other clients logged to Comet', () => {
  it('a patch in a zip archive is given as its text', async () => {
    const { experiment, send } = await begin()
    const patch = 'diff --git a/x b/x\n-one\n+two ä\n'
    for (const file of [await zipOf('git_diff.patch', patch), new Blob([patch]), await zipOf('other.patch', patch)]) {
      await send('/write/experiment/git/patch', {}, formOf({ file }))
      expect(await experiment.getGitPatch()).toBe(patch)
    }
  })

  it('has no digest, and what is known of an object in a bucket', async () => {
    const { tidemark, experiment, send } = await begin()
    await logAsOthers(experiment, send, (path, params) =>
      tidemark.callApi(path, { method: 'POST', params: { ...params } }),
    )
    const logged = await tidemark.getArtifact('flowers')
    expect(logged).toMatchObject({ index: 0, version: '1.0.0', digest: undefined, count: 2 })
    const [file, object] = await logged.getAssets()
    expect(file).toMatchObject({ logicalPath: 'a.csv', size: 4, digest: undefined, type: 'file' })
    expect(object).toMatchObject({ logicalPath: 'b.csv', size: 7, remote: true, link: 's3://bucket/b.csv' })
    expect(await logged.get('a.csv')).toEqual(bytesOf('a,b\n'))
    const next = await experiment.uploadArtifact('flowers', { n: 1 })
    expect(next.index).toBe(1)
    const { added, removed } = await logged.diff(next)
    expect(added).toMatchObject([{ path: 'flowers.json', digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect(removed.map(({ digest }) => digest)).toEqual([undefined, undefined])
  })
})
