// One file of 2 GiB: to a version, against one plain loop; and what memory putting and getting it takes.
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { file } from 'tidemark'
import { makeLargeFile } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { watchMemory } from './lib/memory.mjs'
import { inFolder, race, runOnce } from './lib/race.mjs'
import { countRow, megabytes, timeRow } from './lib/results.mjs'

export const question = 'What does a large file cost, in time and in memory?'

const size = 2 ** 31

export const jobs = {
  async tidemark({ source, folder }) {
    let to
    return {
      before: async () => {
        to = await openEmbedded(folder)
      },
      sample: async () => {
        await to.experiment.uploadArtifact('large', file(source))
      },
      after: () => to.close(),
    }
  },
  async loop({ source, folder }) {
    const path = join(folder, 'copy')
    return {
      sample: () => chunkByHand(source, path),
      after: () => rm(path),
    }
  },
  async memory({ source, folder }) {
    const { experiment, close } = await openEmbedded(folder)
    return {
      sample: async () => {
        const put = watchMemory()
        const logged = await experiment.uploadArtifact('large', file(source))
        const putPeak = put()
        const get = watchMemory()
        await logged.download(join(folder, 'got'))
        return { putPeak, getPeak: get() }
      },
      after: async (result) => {
        await close()
        return result
      },
    }
  },
}

export async function run() {
  return inFolder(async (folder) => {
    const source = join(folder, 'large.bin')
    makeLargeFile(source, size)
    const { tidemark, loop } = await race(import.meta.url, ['tidemark', 'loop'], { context: { source }, rounds: 3 })
    const { putPeak, getPeak } = await runOnce(import.meta.url, 'memory', { source })
    return [
      timeRow('a file of 2 GiB to a version on disk', {
        ours: tidemark,
        against: 'read, gear cuts, SHA-256, write, fsync in a loop',
        theirs: loop,
        bar: 1.4,
      }),
      countRow('a file of 2 GiB logged: memory above the start', { value: megabytes(putPeak), bar: 200, unit: 'MB' }),
      countRow('the same downloaded', { value: megabytes(getPeak), bar: 200, unit: 'MB' }),
    ]
  })
}

// The floor: as few calls and copies as the job allows. Chunks are digested where they lie in the buffer; what is cut off at its end moves to its start.
function chunkByHand(source, target) {
  const buffer = Buffer.alloc(8 * 1024 * 1024)
  const [from, to] = [openSync(source, 'r'), openSync(target, 'w')]
  const digests = []
  let held = 0
  for (let ended = false; !ended; ) {
    while (held < buffer.length) {
      const read = readSync(from, buffer, held, buffer.length - held, null)
      held += read
      ended = read === 0
      if (ended) break
    }
    let at = 0
    for (;;) {
      const end = gearCut(buffer, at, held)
      if (end < 0 && !ended) break
      const chunk = buffer.subarray(at, end < 0 ? held : end)
      if (chunk.length > 0) digests.push(createHash('sha256').update(chunk).digest('hex'))
      at += chunk.length
      if (end < 0) break
    }
    for (let done = 0; done < at; ) done += writeSync(to, buffer, done, at - done)
    buffer.copyWithin(0, at, held)
    held -= at
  }
  fsyncSync(to)
  closeSync(to)
  closeSync(from)
  return { chunks: digests.length }
}

const gear = Int32Array.from({ length: 256 }, (_, i) => {
  let mixed = (i + 1) * 0x9e3779b1
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
})

const [smallest, largest] = [16 * 1024, 256 * 1024]

/** Where the chunk that begins at `start` ends, or -1 when that is not in the buffer. */
function gearCut(bytes, start, length) {
  const limit = Math.min(length, start + largest)
  let at = start + smallest - 32
  let hash = 0
  for (const warm = Math.min(at + 32, limit); at < warm; at++) hash = ((hash << 1) + gear[bytes[at]]) | 0
  for (; at <= limit - 4; at += 4) {
    hash = ((hash << 1) + gear[bytes[at]]) | 0
    if (hash >>> 16 === 0) return at + 1
    hash = ((hash << 1) + gear[bytes[at + 1]]) | 0
    if (hash >>> 16 === 0) return at + 2
    hash = ((hash << 1) + gear[bytes[at + 2]]) | 0
    if (hash >>> 16 === 0) return at + 3
    hash = ((hash << 1) + gear[bytes[at + 3]]) | 0
    if (hash >>> 16 === 0) return at + 4
  }
  for (; at < limit; at++) {
    hash = ((hash << 1) + gear[bytes[at]]) | 0
    if (hash >>> 16 === 0) return at + 1
  }
  return limit === start + largest ? limit : -1
}
