import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { newWorker, type Place } from './new-worker.ts'

/** Logs versions one after another until the page is gone; resolves when it is about to log one more than `atLeast`. */
export async function logForEver(
  page: Page,
  place: 'page' | 'worker',
  round: number,
  atLeast: number,
  acknowledged: string[],
): Promise<void> {
  const begun = new Promise<void>((resolve, reject) => {
    page.on('close', () => reject(new Error('closed too early')))
    page.on('console', (message) => {
      const line = message.text()
      if (/^v\d/.test(line)) acknowledged.push(line)
      else if (line === `next ${atLeast}`) resolve()
      else if (line.startsWith('failed')) reject(new Error(line))
    })
  })
  begun.catch(() => undefined)
  // A worker keeps values from a megabyte up as files.
  const target: Place = place === 'worker' ? await newWorker(page) : page
  const size = place === 'worker' ? 1_200_000 : 400_000
  // Not awaited there: it has no end.
  await target.evaluate(
    ({ round, size }) => {
      const work = async () => {
        const experiment = await tidemark.createExperiment()
        for (let i = 0; ; i++) {
          const big = new Uint8Array(size)
          for (let at = 0; at < big.length; at += 50_000) crypto.getRandomValues(big.subarray(at, at + 50_000))
          console.log(`next ${i}`)
          const { index } = await experiment.uploadArtifact('line', big, { metadata: { round, i } })
          console.log(`v${index} ${round} ${i}`)
        }
      }
      work().catch((error) => console.log(`failed: ${error}`))
    },
    { round, size },
  )
  await begun
}

/** All versions that are there, as they were acknowledged, and those that are damaged. */
export async function versionsFound(page: Page): Promise<{ lines: string[]; damaged: string[] }> {
  return page.evaluate(async () => {
    const lines: string[] = []
    const damaged: string[] = []
    for await (const { index, metadata } of tidemark.getVersions('line'))
      lines.push(`v${index} ${metadata?.round} ${metadata?.i}`)
    for await (const { name, ok } of tidemark.verify()) if (!ok) damaged.push(name)
    return { lines, damaged }
  })
}

/** Nothing acknowledged is lost, no half version is seen, no number is missing. */
export function check(found: { lines: string[]; damaged: string[] }, acknowledged: readonly string[]): void {
  expect(found.damaged).toEqual([])
  expect(acknowledged.filter((line) => !found.lines.includes(line))).toEqual([])
  const indexes = found.lines.map((line) => Number(/^v(\d+)/.exec(line)?.[1])).sort((a, b) => a - b)
  expect(indexes).toEqual(indexes.map((_, i) => i))
  expect(found.lines.length).toBeGreaterThan(0)
}
