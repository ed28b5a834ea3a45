import { withoutKeys } from '../api/without-keys.ts'
import type { Connection } from '../connection.ts'
import type { Surroundings } from '../surroundings.ts'
import { postEntry } from './post-entry.ts'
import type { CompanionOptions } from './run-companions.ts'
import type { RunLog } from './run-log.ts'

/** Logs once what the program, the machine and the repository are. Never rejects: what cannot be had is told to the logger. */
export async function logFacts(
  { logger, secrets }: Connection,
  key: string,
  log: RunLog,
  surroundings: Surroundings,
  { logCode, logSystemDetails, logGitInfo }: CompanionOptions,
): Promise<void> {
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      logger.info(`No ${what} logged: ${error instanceof Error ? error.message : error}`)
    }
  }
  // A key that stands in a script, on a command line or in a change is no part of what is logged.
  const clean = (text: string) => withoutKeys(text, secrets)
  const code = async () => {
    const text = await surroundings.code()
    if (text !== undefined) log.add(postEntry(key, 'code', 'code', { code: clean(text) }))
  }
  const system = async () => {
    const { command, ...facts } = await surroundings.system()
    const details = Array.isArray(command) ? { command: command.map((one) => clean(String(one))), ...facts } : facts
    if (Object.keys(details).length > 0) log.add(postEntry(key, 'system details', 'system-details', details))
  }
  const git = async () => {
    const facts = await surroundings.git()
    if (!facts) return
    const { gitEntries } = await import('../surroundings/git-entries.ts')
    const { patch, ...rest } = facts
    for (const entry of gitEntries(key, { ...rest, ...(patch !== undefined && { patch: clean(patch) }) }))
      log.add(entry)
  }
  if (logCode) await attempt('code', code)
  if (logSystemDetails) await attempt('system details', system)
  if (logGitInfo) await attempt('git', git)
}
