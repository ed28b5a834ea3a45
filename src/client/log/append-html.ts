import { restPrefix } from '../../protocol/routes.ts'
import type { Api } from '../api.ts'

/**
 * Adds to the page of an experiment. What is added counts as often as it is sent, so the page is read first: a request whose answer was lost is not sent again when the page has grown by
 * its text.
 */
export function appendHtml(experimentKey: string, html: string, timestamp: number): (api: Api) => Promise<void> {
  const search = { experimentKey }
  let before: string | undefined
  return async (api) => {
    const read = async () =>
      (await api.json<{ html?: string | null }>('GET', `${restPrefix}/experiment/html`, { search })).html ?? ''
    const arrived = async () => ((await read()).slice(before?.length ?? 0).includes(html) ? {} : undefined)
    if (before !== undefined && (await arrived())) return
    before ??= await read()
    const body = { ...search, html, override: false, timestamp }
    await api.json<object>('POST', `${restPrefix}/write/experiment/html`, { body, arrived })
  }
}
