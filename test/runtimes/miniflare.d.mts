/** Starts workerd with a worker of the modules in `folder`, the entry first. */
export function startMiniflare(
  folder: string,
  modules: readonly string[],
  options?: Readonly<Record<string, unknown>>,
): Promise<{ readonly url: URL; stop(): Promise<void> }>
