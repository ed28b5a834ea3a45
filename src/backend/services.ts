import type { Store } from '../stores/store.ts'
import { Artifacts } from './artifacts.ts'
import { CommitGuard } from './commit-guard.ts'
import { Commits } from './commits.ts'
import { Condemned } from './condemned.ts'
import { Deletions } from './deletions.ts'
import { Experiments } from './experiments.ts'
import { Heads } from './heads.ts'
import { Labels } from './labels.ts'
import { Packs } from './packs.ts'
import { StoreRecords } from './store-records.ts'
import { StoredChunks } from './stored-chunks.ts'
import { VersionNumbers } from './version-numbers.ts'
import { Versions } from './versions.ts'

export interface ServiceOptions {
  readonly records: Store
  readonly blobs: Store
  readonly now: () => number
  readonly randomId: () => string
  /** Packs come from this very process: their bytes need not be verified again. */
  readonly trusted: boolean
}

/** All that the routes work with. None of it keeps state of its own: any number of backends may work on the same stores. */
export type Services = ReturnType<typeof createServices>

export function createServices(options: ServiceOptions) {
  const { records: store, blobs, now } = options
  const records = new StoreRecords(store)
  const versions = new Versions(records)
  const heads = new Heads(records, versions)
  const numbers = new VersionNumbers(records, versions)
  const labels = new Labels(records, heads)
  const condemned = new Condemned(records)
  const packs = new Packs(blobs, records, condemned)
  const guard = new CommitGuard(condemned, packs, versions)
  return {
    options,
    records,
    versions,
    heads,
    labels,
    condemned,
    packs,
    chunks: new StoredChunks(packs, versions),
    artifacts: new Artifacts({ records: store, heads, versions, numbers, labels }),
    commits: new Commits({ heads, versions, numbers, labels, guard, now }),
    deletions: new Deletions(heads, versions),
    experiments: new Experiments(store),
  }
}
