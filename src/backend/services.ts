import type { Store } from '../stores/store.ts'
import { Artifacts } from './artifacts/artifacts.ts'
import { Commits } from './artifacts/commits.ts'
import { Heads } from './artifacts/heads.ts'
import { Lineage } from './artifacts/lineage.ts'
import { Versions } from './artifacts/versions.ts'
import { Condemned } from './collection/condemned.ts'
import { Experiments } from './experiments/experiments.ts'
import { Runs } from './experiments/runs.ts'
import { Migration } from './migration.ts'
import { Projects } from './projects/projects.ts'
import { StoreRecords } from './store-records.ts'

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

/**
 * What logging and reading artifacts works with. What else there is keeps nothing in memory, and is made of these by the routes that need it, which bring its code
 * with them. What these keep is only what the stores hold: any number of backends may work on the same ones.
 */
export interface Services {
  readonly options: ServiceOptions
  readonly records: StoreRecords
  readonly versions: Versions
  readonly heads: Heads
  readonly condemned: Condemned
  readonly artifacts: Artifacts
  readonly commits: Commits
  readonly projects: Projects
  readonly runs: Runs
  readonly experiments: Experiments
  readonly lineage: Lineage
  readonly migration: Migration
}

export function createServices(options: ServiceOptions): Services {
  const { randomId, background } = options
  const records = new StoreRecords(options.records)
  const versions = new Versions(records)
  const heads = new Heads(records, versions)
  const condemned = new Condemned(records)
  const projects = new Projects({ records, randomId, background })
  const experiments = new Experiments({ records, projects, randomId })
  const lineage = new Lineage(records)
  return {
    options,
    records,
    versions,
    heads,
    condemned,
    artifacts: new Artifacts({ records, heads, versions }),
    commits: new Commits({ options, records, heads, versions, condemned }),
    projects,
    runs: new Runs({ records, randomId, background }),
    experiments,
    lineage,
    migration: new Migration({ records, experiments, projects, lineage, versions }),
  }
}
