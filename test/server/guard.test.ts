import { expect, it } from 'vitest'
import { createGuard } from '../../src/server/guard.ts'

it('who comes when too many are answered is told to come back, pages that may ask too', async () => {
  let release: (() => void) | undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const origin = 'https://lab.example'
  const guard = createGuard({ hosts: ['lab.example:5173'], origins: [origin], mostAtOnce: 1 }, async () => {
    await held
    return new Response('answered')
  })
  const ask = () => guard(new Request('http://lab.example:5173/api/rest/v2/workspaces', { headers: { origin } }))
  const first = ask()
  const second = await ask()
  expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
  expect(second.headers.get('access-control-allow-origin')).toBe(origin)
  expect(await second.json()).toMatchObject({ tidemark: { code: 'busy' } })
  release?.()
  expect(await (await first).text()).toBe('answered')
  expect(await (await ask()).text()).toBe('answered')
})
