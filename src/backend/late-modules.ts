/**
 * Loads what requests load when they meet it, beside their routes. A server has it before it listens: then no request waits for it, and none fails because the package
 * was replaced by another version meanwhile.
 */
export async function loadLateModules(): Promise<void> {
  await Promise.all([
    import('./artifact-lists.ts'),
    import('./commit-again.ts'),
    import('./deletions.ts'),
    import('./labels.ts'),
    import('./lineage-lists.ts'),
    import('./migrate.ts'),
    import('./packs.ts'),
    import('./project-head.ts'),
    import('./run-head.ts'),
    import('./run-logged.ts'),
    import('./run-reader.ts'),
    import('./stored-keys.ts'),
    import('./version-numbers.ts'),
  ])
}
