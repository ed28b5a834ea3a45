// 70,000 small files as one zip: the writer by itself against fflate's, and the whole way of a folder to a version.
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Zip, ZipPassThrough } from 'fflate'
import { folder as folderOf } from 'tidemark'
import { importSource } from './lib/bundle.mjs'
import { makeFiles, randomBytes } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { inFolder, race } from './lib/race.mjs'
import { timeRow } from './lib/results.mjs'

export const question = 'Is our zip, which keeps all its entries, slower than the usual one?'

const count = 70_000
const size = 1024

export const jobs = {
  async codec({ folder }) {
    const { zipCodec } = await importSource('codecs/zip.ts', folder)
    const files = sourcesInMemory().map(({ path, bytes }) => ({
      name: path.slice(path.lastIndexOf('/') + 1),
      path,
      size: bytes.length,
      mediaType: 'application/octet-stream',
      open: async function* () {
        yield bytes
      },
    }))
    return {
      sample: async () => {
        const { body } = await zipCodec.encode(files)
        let length = 0
        for await (const piece of body) length += piece.length
        return { length }
      },
    }
  },
  async fflate() {
    const files = sourcesInMemory()
    return {
      sample: () => {
        let length = 0
        zipWithFflate(
          files.map(({ path, bytes }) => [path, () => bytes]),
          (piece) => {
            length += piece.length
          },
        )
        return { length }
      },
    }
  },
  async version({ source, folder }) {
    let to
    return {
      before: async () => {
        to = await openEmbedded(folder)
      },
      sample: async () => {
        await to.experiment.uploadArtifact('files', folderOf(source))
      },
      after: () => to.close(),
    }
  },
  async fflateFolder({ source, folder }) {
    return {
      sample: () => {
        const target = openSync(join(folder, 'files.zip'), 'w')
        const hash = createHash('sha256')
        const paths = readdirSync(source).flatMap((part) =>
          readdirSync(join(source, part)).map((name) => `${part}/${name}`),
        )
        zipWithFflate(
          paths.sort().map((path) => [path, () => readFileSync(join(source, path))]),
          (piece) => {
            hash.update(piece)
            for (let done = 0; done < piece.length; ) done += writeSync(target, piece, done)
          },
        )
        hash.digest('hex')
        fsyncSync(target)
        closeSync(target)
      },
    }
  },
}

export async function run() {
  return inFolder(async (folder) => {
    const { codec, fflate } = await race(import.meta.url, ['codec', 'fflate'])
    const source = join(folder, 'files')
    makeFiles(source, count, size)
    const { version, fflateFolder } = await race(import.meta.url, ['version', 'fflateFolder'], {
      context: { source },
      rounds: 3,
    })
    return [
      timeRow('70,000 files of 1 KiB in memory to a zip', {
        ours: codec,
        against: "fflate's streaming Zip, which loses entries",
        theirs: fflate,
        bar: 1,
      }),
      timeRow('70,000 files in a folder to a zip version on disk', {
        ours: version,
        against: 'read, the same Zip, SHA-256, write, fsync',
        theirs: fflateFolder,
      }),
    ]
  })
}

function sourcesInMemory() {
  const next = randomBytes(6)
  return Array.from({ length: count }, (_, i) => ({
    path: `part-${String(Math.floor(i / 250)).padStart(4, '0')}/file-${String(i).padStart(6, '0')}.bin`,
    bytes: new Uint8Array(next(size)),
  }))
}

function zipWithFflate(files, take) {
  const zip = new Zip((error, piece) => {
    if (error) throw error
    take(piece)
  })
  for (const [path, read] of files) {
    const entry = new ZipPassThrough(path)
    zip.add(entry)
    entry.push(read(), true)
  }
  zip.end()
}
