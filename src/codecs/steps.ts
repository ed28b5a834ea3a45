/** Work that others may be let in between: each `yield` is such a place, a fraction of a millisecond to a few after the one before. */
export type Steps<Result> = Generator<undefined, Result>

/** All of it without a pause. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
