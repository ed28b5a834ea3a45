import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Output } from '../../src/cli/output.ts'

function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code })),
  })
}

describe('output', () => {
  it('that nobody reads any more is no failure', async () => {
    const out = new Output(failing('EPIPE'), false, {})
    out.line('one')
    await expect(out.finish()).resolves.toBeUndefined()
    out.line('two')
  })

  it('that cannot be written is a failure that is told', async () => {
    const out = new Output(failing('ENOSPC'), true, {})
    out.document({ many: 'lines' })
    await expect(out.finish()).rejects.toMatchObject({
      code: 'output-failed',
      category: 'UnavailableError',
      message: expect.stringContaining('ENOSPC'),
    })
  })

  it('has no width where the terminal does not say it', () => {
    const terminal = (columns: number) => Object.assign(failing('EPIPE'), { isTTY: true, columns })
    expect(new Output(terminal(0), false, {}).width).toBeUndefined()
    expect(new Output(terminal(120), false, {}).width).toBe(120)
  })
})
