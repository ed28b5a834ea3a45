import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowsers } from '../browsers/installed.mjs'

const packages = fileURLToPath(new URL('node_modules', import.meta.url))
const happyDom = join(packages, 'happy-dom/package.json')
const exe = process.platform === 'win32' ? '.exe' : ''

// As under a content security policy: nothing may make code from strings.
const noEval = '--disallow-code-generation-from-strings'

/** What the test tools ask the environment for, none of it Tidemark's. */
const envOfTools = ['FORCE_TTY', 'FORCE_COLOR', 'NO_COLOR', 'TERM', 'CI']

/**
 * The rows of the matrix. `find` gives the path of the program, or undefined; `command` what runs the suites with it: workerd has none, it is a server.
 *
 * Deno may read and write one folder and serve on this machine, and nothing else: not the environment, not the home folder.
 */
const wanted = [
  ...[20, 22, 26].map((major) => ({
    name: `Node ${major}`,
    find: () => nodeOf(major),
    command: (program) => [program, noEval],
  })),
  {
    name: 'Deno',
    find: () => inScope('@deno', '', `deno${exe}`),
    command: (program, scratch) => [
      program,
      'run',
      '--no-prompt',
      '--quiet',
      `--v8-flags=${noEval}`,
      `--allow-read=${scratch}`,
      `--allow-write=${scratch}`,
      '--allow-net=127.0.0.1',
      `--allow-env=${envOfTools.join(',')}`,
    ],
  },
  { name: 'Bun', find: () => inScope('@oven', 'bin', `bun${exe}`), command: (program) => [program, 'run'] },
  // A DOM in Node, as tests of pages have it: with what it has, values and the main job.
  {
    name: 'happy-dom',
    find: () => (existsSync(happyDom) ? process.execPath : undefined),
    command: (program) => [program, noEval],
    bundle: 'happy-dom',
    version: () => JSON.parse(readFileSync(happyDom, 'utf8')).version,
  },
  { name: 'workerd', find: () => inScope('@cloudflare', 'bin', `workerd${exe}`) },
]

/** Where in a browser programs run, and the bundle for it. */
const places = { page: 'browser', worker: 'browser', 'service-worker': 'service-worker' }

/** Each wanted runtime, with the program and its version, or with why it could not be had. */
export function findRuntimes() {
  const servers = wanted.map(({ name, find, command, version = versionOf, bundle = command ? 'files' : 'workerd' }) => {
    const program = find()
    if (program === undefined) return { name, missing: reason(name) }
    try {
      return { name, program, command, version: version(program), bundle }
    } catch (error) {
      return { name, missing: `${program} does not run: ${error.message}` }
    }
  })
  const browsers = findBrowsers().flatMap((browser) =>
    Object.entries(places).map(([place, bundle]) => {
      const name = `${browser.name} ${place}`
      return browser.missing
        ? { name, missing: browser.missing }
        : { name, browser, place, bundle, version: browser.version }
    }),
  )
  return [...servers, ...browsers]
}

function nodeOf(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const program = join(packages, `node-${major}-${process.platform}-${process.arch}`, 'bin', `node${exe}`)
  return existsSync(program) ? program : undefined
}

/** npm installs of a scope only the package for this platform. */
function inScope(scope, folder, file) {
  const top = join(packages, scope)
  if (!existsSync(top)) return undefined
  return readdirSync(top)
    .map((name) => join(top, name, folder, file))
    .find((path) => existsSync(path))
}

function versionOf(program) {
  const first = execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0]
  return first.match(/\d[\d.-]*/)?.[0] ?? first
}

function reason(name) {
  return name === 'Node 20'
    ? `this is Node ${process.versions.node}: run it with Node 20`
    : `no package of it for ${process.platform} ${process.arch} is in test/runtimes/node_modules; delete that folder to have it installed again`
}
