import { eachOf } from './each-of.ts'
import { foldersBelow } from './folders.ts'
import type { Services } from './services.ts'

export interface LeftoverOptions {
  readonly dryRun: boolean
  /** What is younger may belong to an upload under way. */
  readonly graceMs: number
}

/** Frees files that no experiment names: of uploads that a crash cut off, and of experiments whose deletion it did. Gives the bytes. */
export async function collectLeftovers(services: Services, { dryRun, graceMs }: LeftoverOptions): Promise<number> {
  const { experiments, runs, options } = services
  const { blobs, records, now } = options
  let freed = 0
  for await (const experiment of foldersBelow(blobs, 'files/')) {
    const isThere = (await experiments.find(experiment)) !== undefined
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await blobs.list(`files/${experiment}/`, after === undefined ? {} : { after })
      // Asked for after the list was made: what is named by then stays.
      const named = isThere ? await namedFiles(services, experiment) : new Set<string>()
      const left = page.entries.filter(
        ({ key, modified }) => !named.has(key.split('/')[2]) && now() - modified >= graceMs,
      )
      for (const { size } of left) freed += size
      if (!dryRun) await eachOf(left, ({ key }) => blobs.delete(key))
      after = page.next
    }
  }
  for await (const experiment of foldersBelow(records, 'runs/'))
    if (!dryRun && !(await experiments.find(experiment))) await runs.delete(experiment)
  return freed
}

async function namedFiles({ runs }: Services, experiment: string): Promise<Set<string>> {
  const { assets, patch } = await runs.read(experiment)
  return new Set([...assets.values(), ...(patch ? [patch] : [])].map(({ file }) => file))
}
