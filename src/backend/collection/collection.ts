import type { Reachable } from '../../content/reachable.ts'
import { ConflictError, throwIfAborted } from '../../errors.ts'
import { recordPackName } from '../../protocol/chunk-ref.ts'
import type { CollectReply } from '../../protocol/shapes.ts'
import type { VersionRecord } from '../artifacts/artifact-records.ts'
import { OpenAssets } from '../artifacts/open-assets.ts'
import type { HeldVersion } from '../artifacts/versions.ts'
import type { Services } from '../services.ts'
import type { Condemned, CondemnedList } from './condemned.ts'
import type { Forward } from './forwards.ts'
import { Marking, type MarkingParts } from './marking.ts'
import { listPackObjects, type PackObject } from './pack-objects.ts'
import { Packs, packKey } from './packs.ts'
import { type Remainder, Rewriting } from './rewriting.ts'
import { storedChunks } from './stored-chunks.ts'

export interface CollectOptions {
  /** Tell what would be freed; change nothing. */
  readonly dryRun: boolean
  /** Packs that no version ever referred to are freed when they are older than this: the longest an upload may take, in milliseconds. */
  readonly graceMs: number
  readonly signal?: AbortSignal
}

/** Longer than any upload lasts: git prunes after two weeks, lakeFS and Iceberg after a day. */
export const usualGrace = 24 * 60 * 60 * 1000

// A collection says that it is alive this often while it deletes; one that has not for much longer than that is dead, and another may take over.
const heartbeat = 30_000
const takeOverAfter = 5 * 60_000
const deletedAtOnce = 200

interface Plan {
  /** Objects that nothing needs. */
  readonly garbage: readonly PackObject[]
  readonly remainders: readonly Remainder[]
  /** Deleted versions that still hold what nothing needs. */
  readonly tombstones: readonly HeldVersion[]
  readonly kept: number
}

/**
 * Frees what nothing needs any more, and never more. Mark: everything that a version leads to is needed. Sweep: what only deleted versions lead to goes at
 * once; what nothing leads to, when it is old enough not to be an upload under way. Commits may run all the time: see condemned.ts.
 */
export class Collection {
  readonly #services: Services
  readonly #condemned: Condemned
  readonly #packs: Packs

  constructor(services: Services) {
    this.#services = services
    this.#condemned = services.condemned
    this.#packs = new Packs(services)
  }

  /**
   * @throws ConflictError `collection-running`; CorruptionError or NotFoundError naming a damaged or missing page: nothing is deleted then.
   */
  async collect(options: CollectOptions): Promise<CollectReply> {
    const { now, randomId } = this.#services.options
    const before = await this.#condemned.read()
    // A clock may have been ahead.
    if (before.packs.size > 0 && Math.abs(now() - before.at) < takeOverAfter) throw running(before.at)
    const marking = new Marking(this.#parts(options))
    // A dry run changes nothing: it takes records that the last collection left broken for damage.
    await marking.markLive(options.dryRun ? new Set() : before.packs)
    await marking.markDeleted()
    const plan = await this.#plan(marking, before, options)
    if (options.dryRun) return summary(plan)
    const run = randomId()
    const { garbage, remainders, tombstones } = plan
    const isWork = garbage.length + remainders.length + tombstones.length + before.packs.size > 0
    return summary(isWork ? await this.#sweep(plan, marking, before, run, options.signal) : plan)
  }

  async #plan(marking: Marking, before: CondemnedList, { graceMs }: CollectOptions): Promise<Plan> {
    const { options } = this.#services
    const packs = this.#packs
    const { live, dead } = marking
    const forwarded = await packs.forwards.list()
    const rewriting = new Rewriting(options.blobs, packs.forwards)
    const garbage: PackObject[] = []
    const remainders: Remainder[] = []
    let kept = 0
    for await (const object of listPackObjects(options.blobs)) {
      const { pack, to, modified } = object
      const forward = forwarded.has(pack) ? await packs.forwards.read(pack) : undefined
      const age = options.now() - modified
      const needed = live.get(pack)
      if (marking.pinned.has(pack)) {
        kept++
      } else if (to !== '' && forward?.to !== to) {
        // Written before its forwarding record: it may be about to be led to, however short the grace.
        if (age >= Math.max(graceMs, usualGrace)) garbage.push(object)
        else kept++
      } else if (needed && to === '' && forward && (await packs.isSafe(pack, new Set([pack])))) {
        garbage.push({ ...object, isCopy: true })
      } else if (needed) {
        const partlyDead = hasOther(dead.get(pack), needed)
        const remainder = partlyDead ? await rewriting.plan(object, forward, needed) : undefined
        if (remainder) remainders.push(remainder)
        else kept++
      } else if (dead.has(pack) || before.packs.has(pack) || age >= graceMs) garbage.push(object)
      else kept++
    }
    return { garbage, remainders, tombstones: marking.tombstones.filter((held) => holdsGarbage(held, live)), kept }
  }

  async #sweep(plan: Plan, marking: Marking, before: CondemnedList, run: string, signal?: AbortSignal): Promise<Plan> {
    const { options } = this.#services
    const packs = this.#packs
    const names = new Set<string>()
    for (const { pack, to } of [...plan.garbage, ...plan.remainders.map(({ object }) => object)]) {
      names.add(pack)
      if (to) names.add(`${pack}~${to}`)
    }
    for (const { record } of plan.tombstones) names.add(smallPackOf(record))
    if (!(await this.#condemned.write(before, run, options.now(), names))) throw running(options.now())
    const { tombstones } = plan
    const done = { garbage: [] as PackObject[], remainders: [] as Remainder[], tombstones, kept: plan.kept }
    try {
      await marking.markLive(names)
      throwIfAborted(signal)
    } catch (error) {
      // Nothing was deleted: nobody need wait for this collection.
      await this.#release(run)
      throw error
    }
    const forwards = new Map<string, Forward>()
    let aliveAt = Number.NEGATIVE_INFINITY
    for (let at = 0; at < plan.garbage.length; at += deletedAtOnce) {
      for (const [nth, object] of plan.garbage.slice(at, at + deletedAtOnce).entries()) {
        // Whoever slept, and was taken for dead, deletes no more: what it has on its list may be needed again.
        if (nth === 0 || Math.abs(options.now() - aliveAt) >= heartbeat) {
          await this.#stayAlive(run)
          aliveAt = options.now()
        }
        const { pack, to } = object
        const forward = to ? await packs.forwards.read(pack) : undefined
        if (marking.pinned.has(pack)) {
          done.kept++
          continue
        }
        if (!object.isCopy && marking.live.has(pack) && (to === '' || forward?.to === to)) {
          done.kept++
          continue
        }
        if (forward?.to === to) forwards.set(pack, forward)
        await options.blobs.delete(packKey(pack, to))
        done.garbage.push(object)
      }
    }
    for (const [pack, forward] of forwards) await packs.forwards.write(pack, forward, '', forward.size, null)
    const rewriting = new Rewriting(options.blobs, packs.forwards)
    for (const remainder of plan.remainders) {
      await this.#stayAlive(run)
      const needed = marking.live.get(remainder.object.pack)
      // More of it may be needed by now.
      const current =
        needed &&
        !marking.pinned.has(remainder.object.pack) &&
        (await rewriting.plan(remainder.object, remainder.forward, needed))
      if (current && (await rewriting.carryOut(current, run))) done.remainders.push(current)
      else done.kept++
    }
    await this.#stayAlive(run)
    await this.#strip(tombstones, marking.live)
    await marking.markLive(names)
    await this.#release(run)
    return done
  }

  /** @throws ConflictError `collection-running` when another collection took this one for dead. */
  async #stayAlive(run: string): Promise<void> {
    const now = this.#services.options.now()
    const list = await this.#condemned.read()
    const isOurs =
      list.run === run && (now - list.at < heartbeat || (await this.#condemned.write(list, run, now, list.packs)))
    if (!isOurs) throw running(list.at)
  }

  async #release(run: string): Promise<void> {
    const list = await this.#condemned.read()
    if (list.run === run) await this.#condemned.write(list, run, this.#services.options.now(), [])
  }

  /** Tombstones keep what collections need to know; now that is known, and freed. Only those that the list names: commits that build upon them see it. */
  async #strip(tombstones: readonly HeldVersion[], live: Reachable): Promise<void> {
    for (const held of tombstones)
      if (holdsGarbage(held, live)) await this.#services.versions.strip(held, live.has(smallPackOf(held.record)))
  }

  #parts({ dryRun, signal }: CollectOptions): MarkingParts {
    const { heads, versions, options } = this.#services
    const { records } = options
    const chunks = storedChunks(this.#services)
    const openAssets = new OpenAssets(this.#services)
    return { records, heads, versions, packs: this.#packs, chunks, openAssets, dryRun, ...(signal && { signal }) }
  }
}

function holdsGarbage({ record, attachment }: HeldVersion, live: Reachable): boolean {
  return record.manifest !== null || (attachment.length > 0 && !live.has(smallPackOf(record)))
}

function smallPackOf({ workspace, name, index }: VersionRecord): string {
  return recordPackName(workspace, name, index)
}

function hasOther(offsets: ReadonlySet<number> | undefined, needed: ReadonlySet<number>): boolean {
  for (const offset of offsets ?? []) if (!needed.has(offset)) return true
  return false
}

function summary({ garbage, remainders, kept }: Omit<Plan, 'tombstones'>): CollectReply {
  const freed = [...garbage.map(({ size }) => size), ...remainders.map(({ freed }) => freed)]
  return {
    packsDeleted: garbage.length,
    packsRewritten: remainders.length,
    bytesFreed: freed.reduce((sum, bytes) => sum + bytes, 0),
    packsKept: kept,
  }
}

function running(at: number): ConflictError {
  const free = new Date(at + takeOverAfter).toISOString()
  return new ConflictError(
    `Another collection is under way, or stopped half-way. Try again when it has ended, at the latest after ${free}.`,
    {
      code: 'collection-running',
      fields: { free },
    },
  )
}
