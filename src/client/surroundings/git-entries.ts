import { restPrefix } from '../../protocol/routes.ts'
import { sendForm } from '../api/send-form.ts'
import type { CallEntry } from '../log/log-entry.ts'
import { postEntry } from '../log/post-entry.ts'
import type { GitFacts } from '../surroundings.ts'
import { withoutCredentials } from './git-origin.ts'

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
