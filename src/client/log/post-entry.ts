import { restPrefix } from '../../protocol/routes.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import type { CallEntry } from './log-entry.ts'

/** What an experiment says about itself with one POST of Comet's REST API v2. */
export function postEntry(
  experimentKey: string,
  what: string,
  path: string,
  fields: Readonly<Record<string, JsonValue | undefined>>,
): CallEntry {
  const body = { experimentKey, ...fields }
  return {
    kind: 'call',
    what,
    size: 2 * JSON.stringify(fields).length,
    send: (api) => api.done('POST', `${restPrefix}/write/experiment/${path}`, { body }),
  }
}
