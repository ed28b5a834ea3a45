// The last line of `.ci/run`: how many tests passed and failed, from the report that vitest wrote and that of the runtimes, when they were run.
import { existsSync, readFileSync } from 'node:fs'

const [, , path, runtimesPath] = process.argv
const { numPassedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))
const runtimes = existsSync(runtimesPath) ? JSON.parse(readFileSync(runtimesPath, 'utf8')) : { passed: 0, failed: 0 }

let failed = runtimes.failed
for (const { status, assertionResults } of testResults) {
  const wrong = assertionResults.filter((one) => one.status === 'failed').length
  // A file that could not be loaded has no tests that could fail, and is a failure.
  failed += status === 'failed' ? Math.max(1, wrong) : wrong
}
console.log(`${numPassedTests + runtimes.passed} passed, ${failed} failed`)
