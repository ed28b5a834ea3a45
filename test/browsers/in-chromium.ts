import { describe, expect, test } from 'vitest'
import { found, newProfile, type Profile } from './chromium.ts'

/** Declares tests that need a browser. Without one they are named as not run; in CI that is a failure. */
export function inChromium(what: string, declare: (newProfile: () => Promise<Profile>) => void): void {
  describe(`Chromium: ${what}`, () => {
    if (found.missing === undefined) declare(newProfile)
    else if (process.env.CI || process.env.TIDEMARK_RUNTIMES === 'required')
      test('has a browser', () => expect.fail(`No browser: ${found.missing}.`))
    else test.skip(`NOT RUN: ${found.missing}`)
  })
}
