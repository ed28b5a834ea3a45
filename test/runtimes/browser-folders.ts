import { describe, expect, it } from 'vitest'
import type { Experiment } from '../../src/experiment.ts'
import { Artifact, folder, glob } from '../../src/index.ts'

const text = (value: string) => new TextEncoder().encode(value)

/** Folders that a browser hands over, to log and to download into; here those of its private file system. */
export function folderValues(
  experiment: () => Experiment,
  assetOf: (value: unknown) => Promise<{ value: unknown }>,
): void {
  // WebKitGTK 2.50 has none.
  if (typeof navigator.storage?.getDirectory !== 'function') return

  describe('folders', () => {
    async function withFolder(task: (handle: FileSystemDirectoryHandle) => Promise<void>): Promise<void> {
      const root = await navigator.storage.getDirectory()
      const name = `folder-${performance.now()}-${Math.random()}`
      const handle = await root.getDirectoryHandle(name, { create: true })
      try {
        await task(handle)
      } finally {
        await root.removeEntry(name, { recursive: true })
      }
    }

    async function write(handle: FileSystemDirectoryHandle, path: string, content: string): Promise<void> {
      const names = path.split('/')
      let parent = handle
      for (const name of names.slice(0, -1)) parent = await parent.getDirectoryHandle(name, { create: true })
      const file = await parent.getFileHandle(names.at(-1) ?? '', { create: true })
      const writable = await file.createWritable()
      await writable.write(content)
      await writable.close()
    }

    async function listed(handle: FileSystemDirectoryHandle, above = ''): Promise<Record<string, string>> {
      let all: Record<string, string> = {}
      for await (const [name, child] of handle.entries()) {
        if (child instanceof FileSystemDirectoryHandle) all = { ...all, ...(await listed(child, `${above}${name}/`)) }
        else if (child instanceof FileSystemFileHandle) all[above + name] = await (await child.getFile()).text()
      }
      return all
    }

    /** As when a person takes the permission back: the method is refused after so many calls. */
    function revokedAfter(handle: FileSystemDirectoryHandle, method: string, calls: number): FileSystemDirectoryHandle {
      let left = calls
      return new Proxy(handle, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return (...values: unknown[]) => {
            if (name === method && left-- <= 0) throw new DOMException('Permission was taken back.', 'NotAllowedError')
            return Reflect.apply(member, target, values)
          }
        },
      })
    }

    it('a directory handle: as a zip, by a pattern, file by file', async () => {
      await withFolder(async (handle) => {
        await write(handle, 'a.txt', 'A')
        await write(handle, 'inside/b.csv', 'B')
        expect((await assetOf(handle)).value).toEqual(
          new Map([
            ['a.txt', text('A')],
            ['inside/b.csv', text('B')],
          ]),
        )
        expect((await assetOf(folder(handle, { ignore: ['*.csv'] }))).value).toEqual(new Map([['a.txt', text('A')]]))
        expect((await assetOf(glob('**/*.csv', { folder: handle }))).value).toEqual(
          new Map([['inside/b.csv', text('B')]]),
        )
        const file = await handle.getFileHandle('a.txt')
        expect(await assetOf(file)).toMatchObject({ path: 'a.txt', value: text('A') })
      })
    })

    it('a file that was changed or removed since it was chosen is a typed error', async () => {
      await withFolder(async (handle) => {
        const chosen = async (path: string) => {
          await write(handle, path, 'as chosen')
          return (await handle.getFileHandle(path)).getFile()
        }
        const [changed, removed] = [await chosen('changed.txt'), await chosen('removed.txt')]
        // Some systems note the time of a change in seconds.
        await new Promise((resolve) => setTimeout(resolve, 1100))
        await write(handle, 'changed.txt', 'otherwise')
        await handle.removeEntry('removed.txt')
        // Browsers do not all tell one from the other.
        const told = { code: expect.stringMatching(/^file-(changed|vanished)$/) }
        await expect(assetOf(changed)).rejects.toMatchObject(told)
        await expect(assetOf(removed)).rejects.toMatchObject(told)
      })
    })

    it('downloads into a directory handle: new files appear, others fail, stay or are replaced', async () => {
      const artifact = new Artifact('files', 'dataset')
      await artifact.add(new File(['one'], 'one.txt'), { logicalPath: 'one.txt' })
      await artifact.add(new File(['two'], 'two.txt'), { logicalPath: 'deep/er/two.txt' })
      const logged = await experiment().logArtifact(artifact)
      const whole = { 'one.txt': 'one', 'deep/er/two.txt': 'two' }
      await withFolder(async (handle) => {
        const report = await logged.download(handle)
        expect([...report.written].sort()).toEqual(['deep/er/two.txt', 'one.txt'])
        expect(await listed(handle)).toEqual(whole)
        await write(handle, 'one.txt', 'mine')
        await expect(logged.download(handle)).rejects.toMatchObject({ code: 'file-exists' })
        expect(await listed(handle)).toEqual({ ...whole, 'one.txt': 'mine' })
        await logged.download(handle, { overwrite: 'preserve' })
        expect(await listed(handle)).toEqual({ ...whole, 'one.txt': 'mine' })
        expect((await logged.download(handle, { overwrite: 'overwrite' })).written).toEqual(['one.txt'])
        expect(await listed(handle)).toEqual(whole)
      })
    })

    it('a permission that is taken back is a typed error: nothing half-written stays', async () => {
      const artifact = new Artifact('files', 'dataset')
      for (const path of ['one.txt', 'two.txt']) await artifact.add(text(path), { logicalPath: path })
      const logged = await experiment().logArtifact(artifact)
      await withFolder(async (handle) => {
        const refused = { category: 'PermissionError', code: 'target-refused' }
        await expect(logged.download(revokedAfter(handle, 'getFileHandle', 4))).rejects.toMatchObject(refused)
        expect(await listed(handle)).toEqual({})
        const reading = { category: 'PermissionError', code: 'file-unreadable' }
        await expect(assetOf(revokedAfter(handle, 'values', 0))).rejects.toMatchObject(reading)
      })
    })
  })
}
