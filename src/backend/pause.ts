// Full jitter up to half a second: a lost race costs about one store round trip, and few of those waiting wake at once.
const firstPause = 4
const longestPause = 500

// A conditional write is lost only to one that succeeded, so somebody always gets on; so many losses in a row mean a store whose conditions never hold.
const mostAttempts = 10_000

/** Waits before the next attempt, longer and more scattered each time. Throws what `giveUp` makes when no attempt will ever succeed. */
export async function pause(attempt: number, giveUp: () => Error): Promise<void> {
  if (attempt >= mostAttempts) throw giveUp()
  const longest = Math.min(longestPause, firstPause * 2 ** Math.min(attempt, 10))
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest))
}
