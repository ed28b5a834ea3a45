import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { serve } from '../../src/server/node.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Caller } from '../conformance/backend-caller.ts'
import { cometWireSuite } from '../conformance/comet-wire.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

const document: {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
} = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))

/** What is wrong with a value; undefined when it is as the schema says. Objects are closed unless they say otherwise: a field nobody described is wrong. */
function problem(value: unknown, schema: Schema, at = '$'): string | undefined {
  if (schema.$ref) return problem(value, document.components.schemas[schema.$ref.split('/').at(-1) ?? ''], at)
  if (schema.anyOf) {
    const problems = schema.anyOf.map((one) => problem(value, one, at))
    return problems.includes(undefined) ? undefined : problems.join(' or ')
  }
  if (schema.enum) return schema.enum.includes(value) ? undefined : `${at} is ${JSON.stringify(value)}`
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    return `${at} is ${JSON.stringify(value)}, not ${types}`
  if (Array.isArray(value)) {
    const { items } = schema
    return items && value.map((one, index) => problem(one, items, `${at}[${index}]`)).find((one) => one !== undefined)
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const field of schema.required ?? []) if (!Object.hasOwn(value, field)) return `${at}.${field} is missing`
  for (const [field, inner] of Object.entries(value)) {
    const known = schema.properties?.[field] ?? schema.additionalProperties
    if (known === false) return `${at}.${field} is not described`
    const wrong = typeof known === 'object' ? problem(inner, known, `${at}.${field}`) : undefined
    if (wrong) return wrong
  }
  return undefined
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

function operationOf(method: string, path: string): { name: string; operation: Operation } | undefined {
  const segments = path.split('/')
  for (const [pattern, methods] of Object.entries(document.paths)) {
    const parts = pattern.split('/')
    if (parts.length !== segments.length) continue
    if (!parts.every((part, at) => part === segments[at] || part.startsWith('{'))) continue
    const operation = methods[method.toLowerCase()]
    if (operation) return { name: `${method} ${pattern}`, operation }
  }
  return undefined
}

const seen = new Set<string>()

/** Checks what is asked and what is answered against the document. */
function checking(inner: (request: Request) => Promise<Response>) {
  return async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    const found = operationOf(request.method, pathname.replace(/^\/\//, '/'))
    const body = request.headers.get('content-type') === 'application/json' ? await request.clone().text() : undefined
    const reply = await inner(request)
    const type = reply.headers.get('content-type')?.split(';')[0] ?? ''
    const described =
      found?.operation.responses[reply.ok ? '200' : 'default'] ??
      document.paths['/api/rest/v2/workspaces'].get.responses.default
    const schema = described.content?.[type]?.schema
    const what = `${found?.name} ${reply.status} ${type}`
    expect(schema, `${what} is not described`).toBeDefined()
    if (schema && type === 'application/json') expect(problem(await reply.clone().json(), schema), what).toBeUndefined()
    if (!found || !reply.ok) return reply
    seen.add(found.name)
    const { parameters = [], requestBody } = found.operation
    const queries = parameters.filter((one) => one.in === 'query')
    for (const name of searchParams.keys())
      expect(
        queries.map((one) => one.name),
        what,
      ).toContain(name)
    for (const { name, required } of queries) if (required) expect([...searchParams.keys()], what).toContain(name)
    const asked = requestBody?.content['application/json']?.schema
    if (asked && body !== undefined && body !== '[]')
      expect(problem(JSON.parse(body), asked), `${what}: what was asked`).toBeUndefined()
    return reply
  }
}

cometWireSuite('as docs/openapi.json describes it', async () => {
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store })
  return { fetch: checking(backend.fetch), base: 'http://backend.test' }
})

describe('docs/openapi.json', () => {
  it('describes every route there is, and no others', async () => {
    const store = memoryStore()
    const all = await createBackend({ records: store, blobs: store }).routes()
    const routes = all.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual(routes.sort())
  })

  it('is what a running server answers on our own routes too', async () => {
    const store = memoryStore()
    const backend = createBackend({ records: store, blobs: store })
    const serving = await serve({ fetch: backend.fetch, port: 0 })
    try {
      const check = checking((request) => fetch(request))
      const caller = new Caller((request) =>
        check(new Request(request.url.replace('http://backend.test', serving.url), request)),
      )
      const own = '/api/tidemark/v1'
      const { experimentKey: key } = await caller.rest<{ experimentKey: string }>(
        'POST',
        '/write/experiment/create',
        {},
      )
      const big = new Uint8Array(60_000).map((_, at) => (at * 2654435761) >>> 11)
      const { version } = await caller.log('flowers', { a: 'text', b: big }, { experimentKey: key })
      await caller.log('flowers', { a: 'changed', b: big }, { experimentKey: key, baseVersion: version })
      await caller.json('GET', `${own}/capabilities`)
      await caller.json('POST', `${own}/have`, { packs: ['ab'.repeat(32)] })
      await caller.json('GET', `${own}/artifacts?limit=10`)
      await caller.json('GET', `${own}/artifacts/default/flowers`)
      await caller.json('GET', `${own}/artifacts/default/flowers/versions?limit=1`)
      await caller.version('flowers')
      await caller.files(version)
      await caller.json('GET', `${own}/artifacts/default/flowers/versions/0`)
      await caller.json('POST', `${own}/experiments/${key}/inputs`, { workspace: 'default', name: 'flowers', index: 0 })
      await caller.json('GET', `${own}/artifacts/default/flowers/versions/0/lineage`)
      for (const kind of ['inputs', 'outputs']) await caller.json('GET', `${own}/experiments/${key}/${kind}`)
      await caller.json('POST', `${own}/experiments/${key}/log`, {
        writer: 'writer-1',
        sequence: 1,
        metrics: [{ name: 'm', values: [1, 'NaN'], steps: [1, null], timestamps: [1, 2] }],
        parameters: [{ name: 'p', value: [1], timestamp: 1 }],
        others: [{ key: 'o', value: null, timestamp: 1 }],
        tags: ['t'],
        output: [{ offset: 1, text: 'line' }],
      })
      await caller.json('GET', `${own}/experiments/${key}/series?name=m`)
      await caller.json('POST', `${own}/experiments/${key}/end`, { endTime: 5 })
      await caller.rest('GET', `/write/experiment/stop?experimentKey=${key}`)
      await caller.rest('GET', '/account-details')
      await caller.json('DELETE', `${own}/artifacts/default/flowers/versions/0`)
      await caller.json('DELETE', `${own}/artifacts/default/flowers`)
      await caller.json('POST', `${own}/gc`, { dryRun: true })
    } finally {
      await serving.close(0)
    }
  })

  // Runs last: by now every operation has been asked and answered as described.
  it('was tried in whole', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.filter((one) => !seen.has(one))).toEqual([])
  })
})
