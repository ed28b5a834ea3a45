import fc from 'fast-check'

// A failing property prints its seed and path; CI=true widens the search a little.
fc.configureGlobal({ numRuns: process.env.CI ? 200 : 100 })
