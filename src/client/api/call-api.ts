import { InvalidInputError } from '../../errors.ts'
import { checkChoice, describe } from '../../options.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Api, Method } from '../api.ts'

export interface CallApiOptions {
  /** Default GET. */
  readonly method?: Method
  /** The query of a GET or DELETE, the JSON body of a POST or PUT. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
}

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE']

export async function callApi(
  api: Api,
  endpoint: string,
  { method = 'GET', params = {}, signal }: CallApiOptions,
): Promise<unknown> {
  checkChoice(method, methods, 'method')
  // A whole URL would send the key to whoever is named in it.
  if (typeof endpoint !== 'string' || !endpoint.startsWith('/') || endpoint.startsWith('//'))
    throw new InvalidInputError(`An endpoint is a path such as '/experiments', not ${describe(endpoint)}.`, {
      code: 'invalid-endpoint',
    })
  const path = endpoint.startsWith('/api/') ? endpoint : `${restPrefix}${endpoint}`
  const inQuery = method === 'GET' || method === 'DELETE'
  const response = await api.response(
    method,
    path,
    inQuery ? { search: queryOf(params), signal } : { body: params, signal },
  )
  const type = response.headers.get('content-type') ?? ''
  if (/\bjson\b/.test(type)) return response.json()
  if (type.startsWith('text/')) return response.text()
  return new Uint8Array(await response.arrayBuffer())
}

function queryOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
      throw new InvalidInputError(
        `The parameter ${name} of a query must be text, a number or a boolean, not ${describe(value)}.`,
        { code: 'invalid-option', fields: { option: name } },
      )
    query[name] = String(value)
  }
  return query
}
