import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = resolve(fileURLToPath(new URL('.', import.meta.url)), '..')
const run = promisify(execFile)

/** Makes a project in `folder` that has the packed package installed, without a network; gives the tarball. */
export async function installPacked(folder) {
  // `npm test` has just built it; alone, a test does not judge a build that is older than the source.
  if (isStale()) await run('npm', ['run', '--silent', 'build'], { cwd: root })
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  await mkdir(join(folder, 'node_modules/tidemark'), { recursive: true })
  const { stdout } = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], {
    cwd: root,
  })
  const [{ filename }] = JSON.parse(stdout)
  const packed = join(folder, filename)
  await run('tar', ['-xzf', packed, '-C', join(folder, 'node_modules/tidemark'), '--strip-components=1'])
  // What npm would install beside it.
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  }
  const manifest = { type: 'module', dependencies: { tidemark: '*', ...dependencies } }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest)}\n`)
  const tarball = await readFile(packed)
  await rm(packed)
  return tarball
}

function isStale() {
  const built = join(root, 'dist/portable/index.js')
  if (!existsSync(built)) return true
  const { mtimeMs } = statSync(built)
  return readdirSync(join(root, 'src'), { recursive: true }).some(
    (path) => statSync(join(root, 'src', path)).mtimeMs > mtimeMs,
  )
}
