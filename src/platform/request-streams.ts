let known: boolean | undefined

/** Whether the body of a `Request` can be a stream. Firefox 153 has no `Request.body`, and takes a stream for a text: `[object ReadableStream]`. */
export function requestsTakeStreams(): boolean {
  known ??= ask()
  return known
}

function ask(): boolean {
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body: new ReadableStream(), duplex: 'half' }
  try {
    const request = new Request('http://localhost/', init)
    return request.body !== undefined && !request.headers.has('content-type')
  } catch (error) {
    // WebKit refuses it.
    if (error instanceof TypeError) return false
    throw error
  }
}
