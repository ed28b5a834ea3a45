// Runs before `npm start` and `npm test`; needs nothing but Node. Installs what package-lock.json names when it is not installed yet: of this package, or of
// the folder it is given.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const [, , folder] = process.argv
const root = resolve(fileURLToPath(new URL('..', import.meta.url)), folder ?? '')
const lock = `${root}/package-lock.json`
const installed = `${root}/node_modules/.package-lock.json`

const [major] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(
    `Tidemark needs Node 20 or newer; this is Node ${process.versions.node}. Install it from https://nodejs.org.`,
  )
  process.exit(1)
}

if (!isInstalled()) {
  console.log(`Installing dependencies${folder ? ` of ${folder}` : ''} (once)...`)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // Not `npm ci`: it refuses a lock file made where packages for other platforms could not be had. This takes the versions of the lock file too, and leaves it alone.
  const run = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (run.status !== 0) {
    console.error('npm install failed: see above. Without a network, copy node_modules from a machine that has one.')
    process.exit(run.status ?? 1)
  }
}

function isInstalled() {
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs - 1000) return sameVersions()
  return true
}

// A fresh checkout touches package-lock.json without changing it: compare what is in it before installing again.
function sameVersions() {
  if (!existsSync(installed)) return false
  const want = JSON.parse(readFileSync(lock, 'utf8')).packages
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages
  return Object.entries(want).every(
    ([path, entry]) => path === '' || entry.optional || have[path]?.version === entry.version,
  )
}
