/** 200 with JSON: the only success Comet's clients know. */
export function json(value: unknown): Response {
  return new Response(JSON.stringify(value), {
    headers: jsonHeaders,
  })
}

/** Texts of users are in it: nobody is to take it for a page. */
export const jsonHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

/** The same for a list of any length, `{ name: [...] }`: made while it is sent. */
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

/** Bytes that are all there. In process they reach the reader as one piece, without a copy. */
export function bytesReply(bytes: Uint8Array, status: number, headers: Record<string, string>): Response {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
  return new Response(body, { status, headers: { ...rawHeaders, ...headers, 'content-length': String(bytes.length) } })
}

/** Bytes as they come. The first piece is waited for, so that what fails at once still becomes an error and not a broken answer. */
export async function streamReply(
  source: AsyncGenerator<Uint8Array>,
  status: number,
  headers: Record<string, string>,
): Promise<Response> {
  let next: IteratorResult<Uint8Array, unknown> | undefined = await source.next()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = next ?? (await source.next())
      next = undefined
      if (done) controller.close()
      // The generator may use its buffer again, and the stream reads one piece ahead.
      else controller.enqueue(value.slice())
    },
    async cancel() {
      await source.return(undefined)
    },
  })
  return new Response(body, { status, headers: { ...rawHeaders, ...headers } })
}

// Content is never run or shown in the backend's own name, whatever it claims to be.
const rawHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'content-disposition': 'attachment',
}
