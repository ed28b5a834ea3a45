import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { installPacked } from '../packed.mjs'
import { startedProcess } from './started.mjs'

const example = fileURLToPath(new URL('../../examples/deno/', import.meta.url))

/** A guard against hanging, not a measure. */
const PATIENCE_MS = 120_000

/** The tests of `examples/deno`, run by Deno as its first lines say, in a project that has the packed package installed. */
export function denoExample({ program }, scratch) {
  return [
    ['an edited CSV file becomes a version, with the permissions that are written down and no others', edits],
    ['without permission to write it says so, and writes nothing', refused],
  ]

  async function edits() {
    const { folder, run } = await project()
    const text = await readFile(join(folder, 'watch-csv.ts'), 'utf8')
    const [, permissions] = /deno run (.*) watch-csv\.ts/.exec(text)
    assert.deepEqual(permissions.split(' '), ['--allow-read=.', '--allow-write=.tidemark'])
    const { lines, ended, child } = run(permissions.split(' '))
    const csv = join(folder, 'flowers.csv')
    const told = []
    for await (const line of lines) {
      told.push(line)
      if (line.startsWith('Save the file')) await writeFile(csv, (await readFile(csv, 'utf8')).replace('5', '6'))
      if (line.includes('flowers:v1')) child.kill('SIGINT')
    }
    assert.deepEqual(await ended, { code: 0, errors: '' })
    assert.deepEqual(
      told.filter((line) => line.includes(' is ')).map((line) => line.replace(/, \d+ bytes/, '')),
      [0, 1].map((index) => `flowers.csv is flowers:v${index} (${index + 1}.0.0): 4 rows as Arrow`),
    )
    assert.ok(told.includes('  picked: dates, 1 missing'))
    const check = join(folder, 'check.mjs')
    await writeFile(
      check,
      `import { connect } from 'tidemark'
      const tidemark = await connect({ store: '.tidemark' })
      const read = async (name) => (await (await tidemark.getArtifact(name)).get()).getChild('petals').toJSON()
      console.log(JSON.stringify([await read('flowers:v0'), await read('flowers:v1')]))`,
    )
    const petals = await output(spawn(process.execPath, [check], { cwd: folder }))
    assert.equal(petals.out, '[[5,3,6,3],[6,3,6,3]]\n')
  }

  async function refused() {
    const { run } = await project()
    const { ended } = run(['--allow-read=.'])
    const { code, errors } = await ended
    assert.equal(code, 1)
    assert.match(errors, /PermissionError: .*not started with permission.*--allow-write/)
  }

  async function project() {
    const folder = await mkdtemp(join(scratch, 'deno-'))
    await installPacked(folder)
    for (const file of ['watch-csv.ts', 'clean.ts', 'flowers.csv']) await copyFile(example + file, join(folder, file))
    const run = (permissions) => {
      const args = ['run', '--no-prompt', '--check', ...permissions, 'watch-csv.ts']
      const env = { ...process.env, DENO_DIR: join(scratch, 'deno-dir'), NO_COLOR: '1' }
      const child = spawn(program, args, { cwd: folder, env, timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
      startedProcess(child)
      const ended = output(child).then(({ code, errors }) => ({ code, errors: errors.replace(/^Check .*\n/, '') }))
      return { child, ended, lines: createInterface({ input: child.stdout }) }
    }
    return { folder, run }
  }
}

async function output(child) {
  let [out, errors] = ['', '']
  child.stdout.on('data', (piece) => {
    out += piece
  })
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  const [code] = await once(child, 'close')
  return { code, out, errors }
}
