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
