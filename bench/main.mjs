// `npm run bench` measures all, `npm run bench -- png zip` these. `--check` makes a missed bar an error.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { renderRows, saveRows } from './lib/results.mjs'

const order = ['table', 'large-file', 'many-files', 'npz', 'png', 'zip', 'objects']
const unlisted = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
  .filter((name) => name.endsWith('.mjs') && name !== 'main.mjs')
  .map((name) => name.slice(0, -4))
  .filter((name) => !order.includes(name))
order.push(...unlisted)

const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const unknown = positionals.find((name) => !order.includes(name))
if (unknown !== undefined) {
  console.error(`There is no bench '${unknown}'. There are: ${order.join(', ')}.`)
  process.exit(2)
}

const measured = new Map()
let path
for (const name of positionals.length > 0 ? positionals : order) {
  const { question, run } = await import(`./${name}.mjs`)
  console.log(`${name}: ${question}`)
  measured.set(name, await run())
  // After each, so that what was measured is kept when a later one fails.
  path = saveRows(measured, order)
}
console.log(`\n${renderRows(measured).join('\n')}\n`)
const missed = [...measured.values()].flat().filter(({ pass }) => pass === false).length
console.log(`${missed === 0 ? 'All bars held' : `${missed} missed`}; kept in ${path}.`)
if (values.check && missed > 0) process.exitCode = 1
