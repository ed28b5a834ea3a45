import { describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from '../../src/protocol/base64.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { checkFixedValues, fixedDigests, logFixedValues } from '../conformance/fixed-values.ts'
import type { Task, Written } from './task.ts'

/** Logs the fixed values here, and gives all that was stored. */
export async function writeFixedValues(): Promise<Pick<Written, 'digests' | 'entries'>> {
  const store = memoryStore()
  const digests = await logFixedValues(store)
  return { digests, entries: await entriesOf(store) }
}

/** Reads what every runtime wrote. */
export function exchangeSuite({ written }: Task): void {
  describe('versions of the fixed values', () => {
    it.each(written)('written by $by have the same digests', ({ digests }) => {
      expect(digests).toEqual(fixedDigests)
    })

    it.each(written)('written by $by are read here', async ({ entries }) => {
      const store = memoryStore()
      for (const [key, base64] of entries) await store.put(key, fromBase64(base64))
      await checkFixedValues(store)
    })
  })
}

async function entriesOf(store: Store): Promise<[string, string][]> {
  const { entries, next } = await store.list('', { limit: 1000, values: true })
  if (next !== undefined) throw new Error('more than one page of keys')
  return entries.map(({ key, bytes }) => [key, toBase64(bytes ?? new Uint8Array(0))])
}
