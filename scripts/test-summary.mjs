// The last line of `.ci/run`: how many tests passed and failed, from the report that vitest wrote.
import { readFileSync } from 'node:fs'

const [, , path] = process.argv
const { numPassedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))

let failed = 0
for (const { status, assertionResults } of testResults) {
  const wrong = assertionResults.filter((one) => one.status === 'failed').length
  // A file that could not be loaded has no tests that could fail, and is a failure.
  failed += status === 'failed' ? Math.max(1, wrong) : wrong
}
console.log(`${numPassedTests} passed, ${failed} failed`)
