/** Why a request failed: Node's fetch says no more than "fetch failed", and its innermost cause the rest. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Of an address with several IP addresses, each of which was tried.
  const inner: unknown = error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined)
  return inner instanceof Error ? reasonOf(inner) : error.message
}
