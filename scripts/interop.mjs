// `npm run test:interop`: readers and writers that others wrote. Makes a Python environment in .venv when there is none, then runs test/interop.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const python = `${root}${process.platform === 'win32' ? '.venv\\Scripts\\python.exe' : '.venv/bin/python'}`
const packages = { numpy: 'numpy', pyarrow: 'pyarrow', Pillow: 'PIL', pandas: 'pandas', comet_ml: 'comet_ml' }

if (!existsSync(python)) makeEnvironment()
const missing = Object.keys(packages).filter((name) => !run(python, ['-c', `import ${packages[name]}`], 'ignore'))
if (missing.length > 0) install(missing)
run(python, ['-c', tellVersions()], 'inherit')
if (!process.env.TIDEMARK_LARGE)
  console.log(
    'Not run: a zip with an entry over 4 GiB, which takes 13 GB of disk and some minutes. TIDEMARK_LARGE=1 runs it.',
  )

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const tests = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', 'test/interop/vitest.config.ts', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TIDEMARK_PYTHON: python },
  },
)
process.exit(tests.status ?? 1)

function makeEnvironment() {
  const found = ['python3', 'python', 'py'].find((name) =>
    run(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'], 'ignore'),
  )
  if (!found) fail('Python 3.10 or newer was not found. Install it from https://www.python.org, and run this again.')
  console.log(`Making a Python environment in .venv with ${found}...`)
  if (!run(found, ['-m', 'venv', '.venv'], 'inherit'))
    fail('The environment could not be made: see above. On Debian and Ubuntu, install python3-venv.')
}

function install(names) {
  console.log(`Installing ${names.join(', ')} into .venv (once)...`)
  const done = run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...names], 'inherit')
  if (!done) fail('pip failed: see above. Without a network these tests cannot run.')
}

function tellVersions() {
  const modules = Object.values(packages)
  return `import sys, ${modules.join(', ')}; print('Python', sys.version.split()[0], *(f'{m.__name__} {m.__version__}' for m in (${modules.join(', ')})))`
}

function run(command, args, stdio) {
  return spawnSync(command, args, { cwd: root, stdio }).status === 0
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
