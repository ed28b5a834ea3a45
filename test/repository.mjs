import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a folder a project in a repository: branch dev, an origin with a password in it, `left` installed, and one change that is not committed. */
export async function repositoryIn(cwd) {
  await mkdir(cwd, { recursive: true })
  await git(cwd, 'init', '-q', '-b', 'dev')
  await git(cwd, 'remote', 'add', 'origin', 'https://ada:token@host.example/x.git')
  await writeFile(join(cwd, 'train.js'), 'one\n')
  await writeFile(join(cwd, 'package.json'), '{"dependencies":{"left":"1","gone":"1"}}')
  await mkdir(join(cwd, 'node_modules/left'), { recursive: true })
  await writeFile(join(cwd, 'node_modules/left/package.json'), '{"version":"1.2.3"}')
  await writeFile(join(cwd, '.gitignore'), 'node_modules\n.tidemark\n')
  await git(cwd, 'add', '.')
  await git(cwd, 'commit', '-q', '-m', 'first')
  await writeFile(join(cwd, 'train.js'), 'two\n')
  return cwd
}

/** What git prints. */
export async function git(cwd, ...args) {
  const { stdout } = await run('git', ['-c', 'user.name=ada', '-c', 'user.email=a@b', ...args], { cwd })
  return stdout.trim()
}
