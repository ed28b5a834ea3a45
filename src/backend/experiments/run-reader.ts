import { ConflictError } from '../../errors.ts'
import { eachOf } from '../each-of.ts'
import type { Services } from '../services.ts'
import { joinPoints } from './metric-block.ts'
import { GoneError, RunObjects } from './run-objects.ts'
import type { Line, RunState } from './run-state.ts'
import { baseOf } from './runs.ts'
import { type Points, seriesKey } from './series.ts'

type Parts = Pick<Services, 'records' | 'runs' | 'options'>

// Merging takes longer than reading: a reader that is overtaken so often is not.
const mostAttempts = 20

/** Points and lines of experiments: the newest from their ledgers, the others from where those say that they are. */
export class RunReader {
  readonly #services: Parts

  constructor(services: Parts) {
    this.#services = services
  }

  /** All points of some series, chosen by what there is. */
  points(
    experiment: string,
    choose: (state: RunState) => readonly string[],
  ): Promise<{ state: RunState; points: Points[] }> {
    return this.#settled(experiment, async (objects, state) => {
      const { runs, tail } = state
      const keys = choose(state)
      const points = await eachOf(keys, async (key) => {
        const older = await objects.series(runs, key)
        const newer = tail.flatMap((piece) => piece.points.filter((one) => seriesKey(one) === key))
        const all = [...older, ...newer]
        return all.length > 0 ? joinPoints(all) : undefined
      })
      return { state, points: points.filter((one) => one !== undefined) }
    })
  }

  /** The lines of a program's output, each offset once, in order. */
  lines(experiment: string): Promise<Line[]> {
    return this.#settled(experiment, async (objects, { runs, tail }) => {
      const all = [...(await objects.lines(runs)), ...tail.flatMap(({ lines }) => lines)]
      const once = new Map(all.map((line) => [`${line.stderr} ${line.offset} ${line.context ?? ''}`, line]))
      return [...once.values()].sort((a, b) => a.offset - b.offset || Number(a.stderr) - Number(b.stderr))
    })
  }

  async #settled<T>(experiment: string, read: (objects: RunObjects, state: RunState) => Promise<T>): Promise<T> {
    const { records, runs, options } = this.#services
    const base = baseOf(experiment)
    const objects = new RunObjects({ records, base, randomId: options.randomId })
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const state = await runs.read(experiment)
      try {
        return await read(objects, state)
      } catch (error) {
        if (!(error instanceof GoneError)) throw error
        runs.forget(experiment)
      }
    }
    throw new ConflictError(
      `What experiment ${experiment} logged is being rearranged all the time. Try again; if it stays so, restore ${base}/m from a copy of the store.`,
      { code: 'too-busy', fields: { experiment } },
    )
  }
}
