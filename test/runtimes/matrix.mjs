const rooms = [
  'runtime',
  'store',
  'codecs',
  'content',
  'backend',
  'main job',
  'experiments',
  'exchange',
  'server',
  'example',
]

/**
 * Prints what failed, and then the matrix: a row for each runtime, a column for each room, with how many tests passed. `strict` counts a runtime that could not
 * be had as a failure.
 */
export function tellOutcome(rows, { strict }) {
  for (const { name, outcomes } of rows)
    for (const { room, name: test, error } of outcomes)
      if (error !== undefined) console.log(`\nFAILED in ${name}: ${room} > ${test}\n${indented(error)}`)

  const table = [['', ...rooms, 'seconds'], ...rows.map(cellsOf)]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  console.log('\nTests passed in each runtime')
  for (const row of table) {
    const [first, ...others] = row
    console.log([first.padEnd(widths[0]), ...others.map((cell, at) => cell.padStart(widths[at + 1]))].join('  '))
  }
  for (const { name, notes } of rows) for (const note of notes) console.log(`${name}: ${note}`)
  const missing = rows.filter((row) => row.missing !== undefined)
  for (const { name, missing: reason } of missing)
    console.log(`${strict ? 'FAILED' : 'NOT RUN'}: ${name} could not be had: ${reason}.`)

  const outcomes = rows.flatMap((row) => row.outcomes)
  const wrong = outcomes.filter(({ error }) => error !== undefined).length
  const failed = wrong + (strict ? missing.length : 0)
  console.log(`${outcomes.length - wrong} passed, ${failed} failed, ${missing.length} runtimes missing`)
  return { passed: outcomes.length - wrong, failed, missing: missing.map(({ name }) => name) }
}

function cellsOf({ name, version, missing, outcomes, ms }) {
  if (missing !== undefined) return [name, ...rooms.map(() => '-'), '-']
  return [`${name} (${version})`, ...rooms.map((room) => cellOf(outcomes, room)), (ms / 1000).toFixed(0)]
}

function cellOf(outcomes, room) {
  const all = outcomes.filter((one) => one.room === room)
  const wrong = all.filter(({ error }) => error !== undefined).length
  return wrong === 0 ? `${all.length}` : `${wrong} of ${all.length} failed`
}

function indented(text) {
  return text.replace(/^/gm, '  ')
}
