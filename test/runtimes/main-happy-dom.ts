/** Runs in Node, with happy-dom's DOM in the place of a browser's: values that are made of elements and files, and the main job. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/connect.ts'
import { memoryStore } from '../../src/index.ts'
import { writeFixedValues } from './exchange.ts'
import { runSuites } from './suites.ts'
import type { Task } from './task.ts'

const [, , taskFile] = process.argv
const task: Task = JSON.parse(await readFile(taskFile, 'utf8'))
if (task.do === 'write') answer(await writeFixedValues())
else {
  await standIn()
  for await (const outcome of runSuites({ ...task, rooms: ['codecs', 'main job', 'exchange'] }, { codecs: ofTheDom }))
    answer(outcome)
  answer({ done: true })
}

/** What a test of a page would have: the window's classes as globals. */
async function standIn(): Promise<void> {
  // Installed in this folder, apart from the package.
  const name = 'happy-dom'
  const { Window } = await import(name)
  const window = new Window({ url: 'http://localhost/' })
  const names = [
    'document',
    'Blob',
    'File',
    'FileList',
    'HTMLElement',
    'HTMLInputElement',
    'HTMLCanvasElement',
    'Image',
  ]
  for (const one of names) Reflect.set(globalThis, one, Reflect.get(window, one))
  Reflect.set(globalThis, 'window', window)
}

function ofTheDom(): void {
  describe('values of a page', () => {
    async function assetOf(value: unknown) {
      const experiment = await (await connect({ store: memoryStore() })).createExperiment()
      const asset = await (await experiment.uploadArtifact('value', value)).getAsset()
      return { path: asset.logicalPath, mediaType: asset.mediaType, value: await asset.get() }
    }

    it('files and blobs keep their name and media type', async () => {
      const bytes = new TextEncoder().encode('a,b')
      expect(await assetOf(new File(['a,b'], 'report.csv', { type: 'text/csv' }))).toEqual({
        path: 'report.csv',
        mediaType: 'text/csv',
        value: bytes,
      })
      expect(await assetOf(new Blob(['a,b'], { type: 'text/csv' }))).toMatchObject({
        mediaType: 'text/csv',
        value: bytes,
      })
    })

    it('an element without a rule is refused, with what it is', async () => {
      await expect(assetOf(document.createElement('div'))).rejects.toMatchObject({ category: 'InvalidInputError' })
    })
  })
}

function answer(value: unknown): void {
  console.log(JSON.stringify(value))
}
