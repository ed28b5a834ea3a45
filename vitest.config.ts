import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need Python: see `npm run test:interop`.
    exclude: ['test/interop/**', '**/node_modules/**'],
    // A guard against hanging, not a measure: shared machines may be ten times slower for a while.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    setupFiles: ['test/setup.ts'],
  },
})
