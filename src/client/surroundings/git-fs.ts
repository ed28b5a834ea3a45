import { execFile } from 'node:child_process'
import { isPermitted } from '../../platform/process.ts'
import type { GitFacts } from '../surroundings.ts'

// A change that is larger is data, not code.
const longestPatch = 16 * 1024 * 1024

// A repository on a network drive that does not answer must not hold up the program.
const patience = 10_000

/** The repository around a folder; `undefined` where there is none, or no git. */
export async function gitFacts(cwd: string): Promise<GitFacts | undefined> {
  if (!isPermitted({ name: 'run', command: 'git' })) return undefined
  const ask = async (...args: string[]) => (await git(cwd, args))?.replace(/\r?\n$/, '')
  const root = await ask('rev-parse', '--show-toplevel')
  if (root === undefined) return undefined
  const [branch, origin, parent, user, patch] = await Promise.all([
    ask('symbolic-ref', '--short', '-q', 'HEAD'),
    ask('config', '--get', 'remote.origin.url'),
    ask('rev-parse', '-q', '--verify', 'HEAD'),
    ask('log', '-1', '--no-show-signature', '--format=%an <%ae>'),
    // Nothing that the repository's configuration names is run.
    git(cwd, ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--binary', 'HEAD']),
  ])
  const facts = {
    branch,
    origin,
    parent,
    user,
    root,
    patch,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''))
}

function git(cwd: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'git',
      ['-c', 'core.fsmonitor=false', ...args],
      {
        cwd,
        timeout: patience,
        maxBuffer: longestPatch,
        windowsHide: true,
        // Nobody is asked for a password, and the index is left as it is.
        env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
      },
      // No git, no repository, no commit yet, a patch that is too large: nothing is known then.
      (error, stdout) => resolve(error ? undefined : stdout),
    )
  })
}
