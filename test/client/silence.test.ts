import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sendForm } from '../../src/client/api/send-form.ts'
import { streamedForm } from '../../src/client/api/streamed-form.ts'
import { Api } from '../../src/client/api.ts'

const patience = { answerMs: 5000, bodyMs: 1000 }

/** Time that passes when it is told. */
function clock() {
  let waiting: { ms: number; task: () => void }[] = []
  return {
    soon(ms: number, task: () => void) {
      const one = { ms, task }
      waiting.push(one)
      return () => {
        waiting = waiting.filter((other) => other !== one)
      }
    },
    /** Once somebody waits so long for something, it has been so long. */
    async pass(ms: number) {
      while (waiting[0]?.ms !== ms) await new Promise((resolve) => setTimeout(resolve, 1))
      waiting.shift()?.task()
    },
    get waiting() {
      return waiting.length
    },
  }
}

/** Answers as it is told, first come first. */
async function server(answers: readonly ('never' | 'half' | 'whole')[], attempts: number) {
  let asked = 0
  const http = createServer((incoming, outgoing) => {
    incoming.resume()
    const how = answers[Math.min(asked++, answers.length - 1)]
    if (how === 'never') return
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '11' })
    outgoing.write('{"a":')
    if (how === 'whole') outgoing.end('"bcd"}')
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  const address = http.address()
  const timers = clock()
  const api = new Api({
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    remote: true,
    fetch: (request) => fetch(request),
    patience,
    timers,
    retry: { attempts, sleep: async () => undefined },
  })
  return { api, timers, asked: () => asked }
}

describe('a connection that goes silent', () => {
  it('is given up and asked again, whether it never answers or stops in the middle', async () => {
    const { api, asked, timers } = await server(['never', 'half', 'whole'], 6)
    const answer = api.json('GET', '/x')
    await expect.poll(asked).toBe(1)
    await timers.pass(patience.answerMs)
    await timers.pass(patience.bodyMs)
    expect(await answer).toEqual({ a: 'bcd' })
    expect(asked()).toBe(3)
    expect(timers.waiting).toBe(0)
  })

  it('is an error that says so when it stays silent', async () => {
    const { api, timers } = await server(['never'], 2)
    const answer = expect(api.json('GET', '/x?key=secret')).rejects.toMatchObject({
      code: 'stalled',
      category: 'UnavailableError',
      message: expect.not.stringContaining('secret'),
    })
    await timers.pass(patience.answerMs)
    await timers.pass(patience.answerMs)
    await answer
  })

  it('is one too when it stops while the answer is read piece by piece', async () => {
    const { api, timers } = await server(['half'], 1)
    const text = expect((await api.response('GET', '/x')).text()).rejects.toMatchObject({ code: 'stalled' })
    await timers.pass(patience.bodyMs)
    await text
  })

  it('is not one whose reader takes its time', async () => {
    const { api, timers } = await server(['whole'], 1)
    const response = await api.response('GET', '/x')
    expect(timers.waiting).toBe(0)
    expect(await response.text()).toBe('{"a":"bcd"}')
  })

  it('is one that takes no more of what is sent', async () => {
    const { api, timers } = await server(['never'], 1)
    const never = new Promise<never>(() => undefined)
    const sent = sendForm(api, '/x', {
      form: () =>
        streamedForm(
          {},
          {
            name: 'x',
            mediaType: 'text/plain',
            size: 100,
            async *open() {
              yield new Uint8Array(10)
              await never
            },
          },
        ),
    })
    const told = expect(sent).rejects.toMatchObject({ code: 'stalled' })
    await timers.pass(patience.bodyMs)
    await told
  })
})
