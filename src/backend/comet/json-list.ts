import { jsonHeaders } from '../routes/reply.ts'

/** 200 with JSON of a list of any length, `{ name: [...] }`: made while it is sent. */
export function jsonList(name: string, items: Iterable<unknown>): Response {
  const encoder = new TextEncoder()
  const iterator = items[Symbol.iterator]()
  let text = `{${JSON.stringify(name)}:[`
  let count = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      for (;;) {
        const { done, value } = iterator.next()
        if (done) {
          controller.enqueue(encoder.encode(`${text}]}`))
          controller.close()
          return
        }
        text += `${count++ > 0 ? ',' : ''}${JSON.stringify(value)}`
        if (text.length < jsonPiece) continue
        controller.enqueue(encoder.encode(text))
        text = ''
        return
      }
    },
  })
  return new Response(body, { headers: jsonHeaders })
}

const jsonPiece = 64 * 1024
