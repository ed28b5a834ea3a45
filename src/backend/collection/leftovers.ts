import { eachOf } from '../each-of.ts'
import { fileOf } from '../experiments/files.ts'
import { KeptFiles } from '../experiments/kept-files.ts'
import { Models } from '../models/models.ts'
import { foldersBelow } from '../projects/folders.ts'
import type { Services } from '../services.ts'

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
  if (!dryRun) await letGoOfForgotten(services, graceMs)
  for await (const experiment of foldersBelow(blobs, 'files/')) {
    const isThere = (await experiments.find(experiment)) !== undefined
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await blobs.list(`files/${experiment}/`, after === undefined ? {} : { after })
      // Asked for after the list was made: what is named by then stays.
      const named = isThere ? await namedFiles(services, experiment) : new Set<string>()
      for (const file of await new KeptFiles(options).named(experiment)) named.add(file)
      const left = page.entries.filter(({ key, modified }) => !named.has(fileOf(key)) && now() - modified >= graceMs)
      for (const { size } of left) freed += size
      if (!dryRun) await eachOf(left, ({ key }) => blobs.delete(key))
      after = page.next
    }
  }
  for await (const experiment of foldersBelow(records, 'runs/'))
    if (!dryRun && !(await experiments.find(experiment))) await runs.delete(experiment)
  return freed
}

// Far longer than a version takes from keeping its files to being registered.
const longestRegistering = 10 * 60_000

/** What was kept for a version of a model that never came to be, or whose deletion a crash cut off. */
async function letGoOfForgotten({ options, records }: Services, graceMs: number): Promise<void> {
  const [keptFiles, models] = [new KeptFiles(options), new Models(records)]
  const known = new Map<string, Set<string>>()
  for await (const experiment of foldersBelow(options.records, 'kept/'))
    for (const { id, workspace, modified } of await keptFiles.list(experiment)) {
      if (options.now() - modified < Math.max(graceMs, longestRegistering)) continue
      const needed = known.get(workspace) ?? (await models.kept(workspace))
      known.set(workspace, needed)
      if (!needed.has(id)) await keptFiles.letGo(experiment, id)
    }
}

async function namedFiles({ runs }: Services, experiment: string): Promise<Set<string>> {
  const { assets, patch } = await runs.read(experiment)
  return new Set([...assets.values(), ...(patch ? [patch] : [])].map(({ file }) => file))
}
