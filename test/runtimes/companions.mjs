import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '../../dist/index.js'
import { repositoryIn } from '../repository.mjs'

const run = promisify(execFile)
const program = fileURLToPath(new URL('program.mjs', import.meta.url))
const project = fileURLToPath(new URL('../..', import.meta.url))

/** A guard against hanging, not a measure. */
const PATIENCE_MS = 120_000

/** What an experiment takes down of the program it runs in, in a runtime that runs programs: each tells what it can. */
export function companionTests(runtime, scratch) {
  const tests = [['a program shows its output as ever, and it is kept, with code, system and repository', everything]]
  if (runtime.name === 'Deno')
    tests.push(['what Deno was not permitted to tell is left out, and nobody is asked', little])
  return tests

  async function everything() {
    const cwd = await repositoryIn(await mkdtemp(join(scratch, 'repository-')))
    const { stdout, stderr, experiment } = await runIn(cwd, allowAll(runtime))
    const lines = stdout.split('\n')
    for (const shown of [
      'before',
      'one 1 a',
      'two ä',
      'outer',
      '  inner',
      'without an endafter',
      `KEY ${experiment.key}`,
    ])
      assert.ok(lines.includes(shown), `${shown} is shown`)
    for (const shown of ['trouble', 'more', 'raw trouble']) assert.ok(stderr.split('\n').includes(shown), shown)
    const output = (await experiment.getOutput()).split('\n')
    const table = output.findIndex((line) => line.startsWith('┌'))
    assert.deepEqual(output.slice(0, table), ['one 1 a', 'two ä', 'trouble', 'more', 'raw trouble', 'outer', '  inner'])
    assert.match(output[table + 3], /0 .*5/)
    const rest = output.slice(table + 5).filter((line) => !/never begun|trace-warnings/.test(line))
    assert.deepEqual(rest, ['{ deep: [ 1 ] }', 'Assertion failed: not so', 'seen: 1', 'without an end'])
    assert.match(await experiment.getCode(), /A program that writes/)
    const { branch, origin, parent, user, root } = await experiment.getGitMetadata()
    assert.deepEqual([branch, origin, user], ['dev', 'https://host.example/x.git', 'ada <a@b>'])
    assert.match(parent, /^[0-9a-f]{40}$/)
    assert.ok(root.endsWith(cwd.slice(cwd.lastIndexOf('/'))))
    assert.match(await experiment.getGitPatch(), /-one\n\+two\n/)
    const {
      pid,
      osType,
      hostname,
      os,
      user: login,
      executable,
      command,
      totalRam,
      ...others
    } = await experiment.getSystemDetails()
    for (const [name, fact] of Object.entries({ osType, hostname, os, login, executable }))
      assert.ok(typeof fact === 'string' && fact !== '', `${name} is known`)
    assert.ok(Number.isInteger(pid) && totalRam > 0)
    assert.deepEqual(command.slice(1), ['.tidemark'])
    assert.match(command[0], /program\.mjs$/)
    assert.deepEqual(others.installedPackages, ['left@1.2.3'])
    const facts = Object.fromEntries(others.logAdditionalSystemInfoList.map(({ key, value }) => [key, value]))
    assert.equal(facts.runtime, `${runtime.name.split(' ')[0].toLowerCase()} ${runtime.version}`)
  }

  async function little() {
    const cwd = await repositoryIn(await mkdtemp(join(scratch, 'repository-')))
    const permissions = [`--allow-read=${cwd},${project}`, `--allow-write=${cwd}/.tidemark`]
    const { experiment } = await runIn(cwd, ['run', '--no-prompt', ...permissions])
    assert.match(await experiment.getOutput(), /^one 1 /)
    assert.deepEqual(Object.values(await experiment.getGitMetadata()), [null, null, null, null, null])
    const { hostname, user, executable, os, osType } = await experiment.getSystemDetails()
    assert.deepEqual([hostname, user, executable, os], [null, null, null, null])
    assert.equal(typeof osType, 'string')
  }

  async function runIn(cwd, options) {
    const env = { ...process.env, NO_COLOR: '1' }
    const args = [...options, program, '.tidemark']
    const { stdout, stderr } = await run(runtime.program, args, { cwd, env, timeout: PATIENCE_MS })
    const tidemark = await connect({ store: join(cwd, '.tidemark') })
    return { stdout, stderr, experiment: await tidemark.getExperiment(/^KEY (\w+)$/m.exec(stdout)[1]) }
  }
}

/** Deno is permitted what the program needs to tell all, by name. */
function allowAll({ name }) {
  return name === 'Deno'
    ? ['run', '--no-prompt', '--allow-read', '--allow-write', '--allow-env', '--allow-sys', '--allow-run=git']
    : []
}
