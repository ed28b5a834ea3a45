import type { Store } from '../stores/store.ts'
import { Artifacts } from './artifacts.ts'
import { CommitGuard } from './commit-guard.ts'
import { Commits } from './commits.ts'
import { Condemned } from './condemned.ts'
import { Deletions } from './deletions.ts'
import { Experiments } from './experiments.ts'
import { Heads } from './heads.ts'
import { Heartbeats } from './heartbeats.ts'
import { Labels } from './labels.ts'
import { Lineage } from './lineage.ts'
import { Migration } from './migration.ts'
import { Others } from './others.ts'
import { Packs } from './packs.ts'
import { Projects } from './projects.ts'
import { Runs } from './runs.ts'
import { StoreRecords } from './store-records.ts'
import { StoredChunks } from './stored-chunks.ts'
import { VersionNumbers } from './version-numbers.ts'
import { Versions } from './versions.ts'
import { Workspaces } from './workspaces.ts'

export interface ServiceOptions {
  readonly records: Store
  readonly blobs: Store
  readonly now: () => number
  readonly randomId: () => string
  /** Packs come from this very process: their bytes need not be verified again. */
  readonly trusted: boolean
  /** Workspaces that are there before anything is in them. */
  readonly workspaces: readonly string[]
  /** Told of work that goes on after an answer. */
  readonly background: (work: Promise<void>) => void
}

/** All that the routes work with. What it keeps in memory is only what the stores hold: any number of backends may work on the same ones. */
export type Services = ReturnType<typeof createServices>

export function createServices(options: ServiceOptions) {
  const { records: store, blobs, now, randomId, background } = options
  const records = new StoreRecords(store)
  const versions = new Versions(records)
  const heads = new Heads(records, versions)
  const numbers = new VersionNumbers(records, versions)
  const labels = new Labels(records, heads)
  const condemned = new Condemned(records)
  const packs = new Packs(blobs, records, condemned)
  const guard = new CommitGuard(condemned, packs, versions)
  const chunks = new StoredChunks(packs, versions)
  const projects = new Projects({ records, randomId, background })
  const runs = new Runs({ records, randomId, background })
  const experiments = new Experiments({ records, projects, randomId })
  const lineage = new Lineage(records, experiments)
  const migration = new Migration({ records, experiments, projects, lineage, versions })
  return {
    options,
    records,
    versions,
    heads,
    numbers,
    labels,
    condemned,
    packs,
    chunks,
    artifacts: new Artifacts({ records: store, heads, versions, numbers, labels }),
    commits: new Commits({ heads, versions, numbers, labels, guard, now }),
    deletions: new Deletions(heads, versions),
    projects,
    runs,
    experiments,
    others: new Others(runs, experiments, projects),
    heartbeats: new Heartbeats(records, now),
    lineage,
    migration,
    workspaces: new Workspaces({ records, migration, given: options.trusted ? 'all' : options.workspaces, now }),
  }
}
