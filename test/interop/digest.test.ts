import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Artifact, connect, memoryStore } from '../../src/index.ts'
import { temporaryFolder } from './exchange.ts'
import { program } from './python.ts'

it('sha256sum prints the digests of assets and, over its own lines, that of the version', async () => {
  const place = await temporaryFolder()
  const source = join(place, 'source')
  const contents: Record<string, Uint8Array> = {
    'a.txt': new TextEncoder().encode('hello'),
    'b/ü.bin': Uint8Array.from({ length: 700_000 }, (_, i) => i * i),
    'b/empty': new Uint8Array(0),
    'Z.csv': new TextEncoder().encode('x,y\n1,2\n'),
  }
  for (const [path, bytes] of Object.entries(contents)) {
    await mkdir(join(source, path, '..'), { recursive: true })
    await writeFile(join(source, path), bytes)
  }
  const tidemark = await connect({ store: memoryStore() })
  onTestFinished(() => tidemark.close())
  const experiment = await tidemark.createExperiment()
  const artifact = new Artifact('files', 'dataset')
  await artifact.add(source, { logicalPath: '' })
  await artifact.add([{ x: 1 }], { logicalPath: 'table.arrow' })
  const logged = await experiment.logArtifact(artifact)
  const target = join(place, 'target')
  await logged.download(target)

  for (const { logicalPath, digest } of await logged.getAssets()) {
    const { output } = program('sha256sum', join(target, logicalPath))
    expect([logicalPath, output.split(' ')[0]]).toEqual([logicalPath, digest])
  }
  const whole = program(
    'sh',
    '-c',
    `cd "${target}" && find . -type f | sed 's:^./::' | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 sha256sum | sha256sum`,
  )
  expect(whole.output.split(' ')[0]).toBe(logged.digest)
})
