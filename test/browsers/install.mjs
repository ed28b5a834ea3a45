// Runs before the tests: gets the browsers that are not here, from Debian's packages where we may install (as root, in containers), else the Chromium that npm
// carries. What cannot be had is told by the tests, and is a failure in CI.
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'
import { findBrowsers } from './installed.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
// Of browsers, as 'Chromium'; all of them when none is named.
const names = process.argv.slice(2)

installPackages(missing().flatMap(({ packages }) => packages))
if (missing().some(({ name }) => name === 'Chromium')) await unpackCarried()
for (const { name, missing: reason } of missing()) console.log(`${name} could not be had: ${reason}.`)
if (missing().length > 0 && (process.env.CI || process.env.TIDEMARK_RUNTIMES === 'required')) process.exitCode = 1

function missing() {
  return findBrowsers().filter(
    ({ name, missing }) => missing !== undefined && (names.length === 0 || names.includes(name)),
  )
}

function installPackages(packages) {
  const isRoot = process.getuid?.() === 0
  if (packages.length === 0 || !isRoot || spawnSync('apt-get', ['--version']).status !== 0) return
  console.log(`Installing ${packages.join(', ')} (once)...`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...options) =>
    spawnSync('apt-get', options, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
  apt('update', '-qq')
  const install = (...names) => apt('install', '-y', '-qq', '--no-install-recommends', ...names)
  // One that this system does not have shall not keep it from the others.
  if (!install(...packages)) for (const name of packages) install(name)
}

/** The Chromium of the npm package `@sparticuz/chromium`, for Linux on x64, with the few libraries it needs. */
async function unpackCarried() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  spawnSync(process.execPath, [join(here, '../../scripts/install.mjs'), 'test/browsers'], { stdio: 'inherit' })
  const parts = join(here, 'node_modules/@sparticuz/chromium/bin')
  if (!existsSync(parts)) return
  const target = join(here, 'node_modules/carried')
  const aside = `${target}-${process.pid}`
  const libraries = join(aside, 'libraries')
  mkdirSync(libraries, { recursive: true })
  await unpack(join(parts, 'al2023.tar.br'), join(aside, 'libraries.tar'))
  if (spawnSync('tar', ['-xf', join(aside, 'libraries.tar'), '-C', libraries, '--strip-components=1']).status !== 0)
    return
  await unpack(join(parts, 'chromium.br'), join(aside, 'chromium'))
  await chmod(join(aside, 'chromium'), 0o755)
  // Whole or not there.
  rmSync(target, { recursive: true, force: true })
  renameSync(aside, target)
}

function unpack(from, to) {
  return pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to))
}
