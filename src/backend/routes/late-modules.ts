/**
 * Loads what requests load when they meet it, beside their routes. A server has it before it listens: then no request waits for it, and none fails because the package
 * was replaced by another version meanwhile.
 */
export async function loadLateModules(): Promise<void> {
  await Promise.all([
    import('../artifacts/artifact-lists.ts'),
    import('../artifacts/commit-again.ts'),
    import('../artifacts/deletions.ts'),
    import('../artifacts/labels.ts'),
    import('../artifacts/lineage-lists.ts'),
    import('../migrate.ts'),
    import('../collection/packs.ts'),
    import('../projects/project-head.ts'),
    import('../experiments/run-head.ts'),
    import('../experiments/run-logged.ts'),
    import('../experiments/run-reader.ts'),
    import('../stored-keys.ts'),
    import('../artifacts/version-numbers.ts'),
  ])
}
