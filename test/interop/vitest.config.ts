import { defineConfig } from 'vitest/config'

// Apart from `npm test`, which needs no Python.
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    setupFiles: ['test/setup.ts'],
  },
})
