/** Lets timers, input and painting have their turn: await it between slices of long work. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
