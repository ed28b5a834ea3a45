import { restPrefix } from '../protocol/routes.ts'
import { withoutCredentials } from './git-origin.ts'
import type { CallEntry } from './log-entry.ts'
import { postEntry } from './post-entry.ts'
import { sendForm } from './send-form.ts'
import type { GitFacts } from './surroundings.ts'

/** What an experiment logs of a repository: loaded where there is one. */
export function gitEntries(experimentKey: string, { patch, origin, ...rest }: GitFacts): CallEntry[] {
  const metadata = { ...rest, ...(origin !== undefined && { origin: withoutCredentials(origin) }) }
  const entry = postEntry(experimentKey, 'git metadata', 'git/metadata', metadata)
  return patch === undefined ? [entry] : [entry, patchEntry(experimentKey, patch)]
}

function patchEntry(experimentKey: string, patch: string): CallEntry {
  const form = () => {
    const parts = new FormData()
    parts.append('file', new File([patch], 'git_diff.patch', { type: 'text/x-diff' }))
    return parts
  }
  return {
    kind: 'call',
    what: 'git patch',
    size: 2 * patch.length,
    send: (api) => sendForm(api, `${restPrefix}/write/experiment/git/patch`, { search: { experimentKey }, form }),
  }
}
