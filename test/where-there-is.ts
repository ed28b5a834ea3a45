import { describe, expect, test } from 'vitest'

/** Declares tests that need what a machine may not have. Without it they are named as not run; in CI, and with `TIDEMARK_RUNTIMES=required`, that is a failure. */
export function whereThereIs(what: string, missing: string | undefined, declare: () => void): void {
  describe(what, () => {
    if (missing === undefined) declare()
    else if (process.env.CI || process.env.TIDEMARK_RUNTIMES === 'required')
      test('can be had', () => expect.fail(`${what} could not be had: ${missing}.`))
    else test.skip(`NOT RUN: ${missing}`)
  })
}
