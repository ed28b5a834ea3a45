import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need Python: see `npm run test:interop`.
    exclude: ['test/interop/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    setupFiles: ['test/setup.ts'],
  },
})
