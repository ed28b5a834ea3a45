import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MetricRate } from '../../src/client/log/metric-rate.ts'
import { Outbox, type Report } from '../../src/client/log/outbox.ts'
import { OutputLines } from '../../src/client/surroundings/output-lines.ts'
import { InvalidInputError, UnavailableError } from '../../src/index.ts'
import type { Timers } from '../../src/platform/timers.ts'

/** Time that stands still until it is asked to go on. */
function handTimers(): Timers & { run(): void; readonly waits: number[] } {
  let task: (() => void) | undefined
  const waits: number[] = []
  const later = (ms: number, next: () => void) => {
    waits.push(ms)
    task = next
    return () => {
      task = undefined
    }
  }
  return {
    after: later,
    soon: later,
    waits,
    run() {
      const now = task
      task = undefined
      now?.()
    },
  }
}

type Send = (entries: readonly number[], report: Report<number>) => Promise<void>

function outboxOf(send: Send, { batch = 3, capacity = 1000 } = {}) {
  const timers = handTimers()
  const failures: unknown[] = []
  const outbox = new Outbox<number>({
    delivery: { take: () => batch, send },
    what: 'a test',
    weigh: () => 1,
    capacity,
    timers,
    onFailure: (error) => failures.push(error),
  })
  return { outbox, timers, failures }
}

const away = () => new UnavailableError('away', { code: 'no-connection' })

describe('the outbox', () => {
  it('delivers each entry once and in order, whatever fails on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.constantFrom('ok', 'fail', 'half', 'refuse'), { maxLength: 30 }),
        async (pauses, batch, fates) => {
          const arrived: number[] = []
          const refused: number[] = []
          let at = 0
          const { outbox, timers } = outboxOf(
            async (entries, report) => {
              const fate = fates[at++] ?? 'ok'
              await Promise.resolve()
              if (fate === 'fail') throw away()
              const first = fate === 'half' ? entries.slice(0, entries.length >> 1) : entries
              if (fate === 'refuse') {
                refused.push(entries[0])
                report.refused([entries[0]], new InvalidInputError('no', { code: 'no' }))
              }
              const taken = fate === 'refuse' ? entries.slice(1) : first
              arrived.push(...taken)
              report.done(taken)
              if (fate === 'half') throw away()
            },
            { batch },
          )
          for (const [entry, pause] of pauses.entries()) {
            outbox.add(entry)
            for (let n = 0; n < pause; n++) await Promise.resolve()
            if (pause === 3) timers.run()
          }
          for (let tries = 0; outbox.pending > 0; tries++) {
            expect(tries).toBeLessThan(100)
            await outbox.flush().catch((error: unknown) => expect(error).toMatchObject({ code: 'no-connection' }))
          }
          expect(arrived).toEqual([...arrived].sort((a, b) => a - b))
          expect([...arrived, ...refused].sort((a, b) => a - b)).toEqual([...pauses.keys()])
          expect(outbox.deadLetters.map(({ entry }) => entry)).toEqual(refused)
        },
      ),
    )
  })

  it('sends by itself a moment later, and again after longer and longer pauses', async () => {
    let up = false
    const arrived: number[] = []
    const { outbox, timers, failures } = outboxOf(async (entries, report) => {
      if (!up) throw away()
      arrived.push(...entries)
      report.done(entries)
    })
    outbox.add(1)
    outbox.add(2)
    expect(timers.waits).toEqual([100])
    for (let n = 0; n < 7; n++) {
      timers.run()
      await new Promise((resolve) => setTimeout(resolve))
    }
    expect(timers.waits).toEqual([100, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    expect(failures).toHaveLength(7)
    up = true
    await outbox.flush()
    expect(arrived).toEqual([1, 2])
  })

  it('refuses what it cannot hold, aloud, and takes more once there is room', async () => {
    const { outbox } = outboxOf(async (entries, report) => report.done(entries), { capacity: 2 })
    outbox.add(1)
    outbox.add(2)
    expect(() => outbox.add(3)).toThrow(expect.objectContaining({ code: 'outbox-full', category: 'UnavailableError' }))
    await outbox.flush()
    outbox.add(3)
    await outbox.flush()
    expect(outbox.pending).toBe(0)
  })

  it('a flush that fails keeps everything; one that is aborted waits no longer', async () => {
    let up = false
    const { outbox } = outboxOf(async (entries, report) => {
      if (!up) throw away()
      report.done(entries)
    })
    outbox.add(1)
    await expect(outbox.flush()).rejects.toMatchObject({ code: 'no-connection' })
    expect(outbox.pending).toBe(1)
    await expect(outbox.flush(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
    up = true
    await outbox.flush()
    expect(outbox.pending).toBe(0)
  })

  it('tells of each dead letter once, and keeps them all', async () => {
    const { outbox } = outboxOf(async (entries, report) => report.refused(entries, away()))
    outbox.add(1)
    await outbox.flush()
    expect(outbox.takeUntold().map(({ entry }) => entry)).toEqual([1])
    expect(outbox.takeUntold()).toEqual([])
    outbox.add(2)
    await outbox.flush()
    expect(outbox.takeUntold().map(({ entry }) => entry)).toEqual([2])
    expect(outbox.deadLetters).toHaveLength(2)
  })
})

describe("Comet's limit for metrics", () => {
  it('is never exceeded in any minute, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200), { minLength: 1, maxLength: 40 }), async (gaps) => {
        let now = 0
        const sent: number[] = []
        const rate = new MetricRate({
          now: () => now,
          sleep: async (ms) => {
            now += ms
          },
        })
        for (const gap of gaps) {
          now += gap
          for (let n = 0; n < 900; n++) {
            await rate.take()
            sent.push(now)
          }
        }
        let from = 0
        for (const [to, at] of sent.entries()) {
          while (sent[from] <= at - 60_000) from++
          expect(to - from + 1).toBeLessThanOrEqual(12_000)
        }
      }),
      { numRuns: 10 },
    )
  })
})

describe('lines of output', () => {
  const linesOf = (pieces: readonly string[]) => {
    const lines: { offset: number; text: string }[] = []
    let count = 0
    const output = new OutputLines(
      false,
      ({ offset, text }) => lines.push({ offset, text }),
      () => ++count,
    )
    for (const piece of pieces) output.write(piece)
    output.end()
    return lines
  }

  it('are the same however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'ä', '\n', '\r\n', 'xyz ', '')), fc.array(fc.nat(5)), (parts, cuts) => {
        const text = parts.join('')
        const pieces: string[] = []
        let at = 0
        for (const cut of cuts) {
          pieces.push(text.slice(at, at + cut))
          at += cut
        }
        pieces.push(text.slice(at))
        const lines = linesOf(pieces)
        const expected = text.split(/\r?\n/)
        if (expected.at(-1) === '') expected.pop()
        expect(lines.map((line) => line.text)).toEqual(expected)
        expect(lines.map(({ offset }) => offset)).toEqual(expected.map((_, index) => index + 1))
      }),
    )
  })

  it('show what a terminal shows of a progress bar, and have an end', () => {
    expect(linesOf(['10 %\r20 %', '\r30 %', '\r100 %\n', 'done'])).toEqual([
      { offset: 1, text: '100 %' },
      { offset: 2, text: 'done' },
    ])
    const long = linesOf(['x'.repeat(200_000)])
    expect(long.map(({ text }) => text.length)).toEqual([65_536, 65_536, 65_536, 3392])
  })
})
