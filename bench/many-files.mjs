// A folder of small files, each an asset of its own: time against git, which also stores each by its digest; and memory.
import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Artifact } from 'tidemark'
import { makeFiles } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { watchMemory } from './lib/memory.mjs'
import { inFolder, race, runOnce } from './lib/race.mjs'
import { countRow, megabytes, timeRow } from './lib/results.mjs'

export const question = 'What do many small files cost, in time and in memory?'

const size = 4096

export const jobs = {
  async tidemark({ source, folder }) {
    let to
    return {
      before: async () => {
        to = await openEmbedded(folder)
      },
      sample: () => logFolder(to.experiment, source),
      after: () => to.close(),
    }
  },
  async git({ source, folder }) {
    const repository = join(folder, 'repository')
    const git = (...args) =>
      execFileSync('git', [...settings, `--git-dir=${repository}`, `--work-tree=${source}`, ...args], { stdio: 'pipe' })
    return {
      before: () => git('init', '--quiet'),
      sample: () => {
        git('add', '--all')
        git('commit', '--quiet', '--message', 'all')
      },
      after: () => rm(repository, { recursive: true }),
    }
  },
  async memory({ source, folder }) {
    const { experiment, close } = await openEmbedded(folder)
    return {
      sample: async () => {
        const peak = watchMemory()
        await logFolder(experiment, source)
        return { peak: peak() }
      },
      after: async (result) => {
        await close()
        return result
      },
    }
  },
}

// Only what the figure is about: durable writes, no collection in the background, nobody's own settings.
const settings = [
  'core.fsync=all',
  'gc.auto=0',
  'maintenance.auto=false',
  'user.name=bench',
  'user.email=bench@localhost',
  'commit.gpgSign=false',
].flatMap((setting) => ['-c', setting])

export async function run() {
  return inFolder(async (folder) => {
    const [some, many] = [join(folder, 'some'), join(folder, 'many')]
    makeFiles(some, 10_000, size)
    const { tidemark, git } = await race(import.meta.url, ['tidemark', 'git'], { context: { source: some } })
    makeFiles(many, 100_000, size)
    const { peak } = await runOnce(import.meta.url, 'memory', { source: many })
    return [
      timeRow('10,000 files of 4 KiB as assets to a version on disk', {
        ours: tidemark,
        against: 'git add and commit, core.fsync=all',
        theirs: git,
        elsewhere: true,
        bar: 1,
      }),
      countRow('100,000 such files: memory above the start', { value: megabytes(peak), bar: 300, unit: 'MB' }),
    ]
  })
}

async function logFolder(experiment, source) {
  const artifact = new Artifact('files', 'dataset')
  await artifact.add(source, { logicalPath: '' })
  await experiment.logArtifact(artifact)
}
