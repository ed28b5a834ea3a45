/** An answer of lines of JSON, each sent when `work` gives it. */
export function inLines(work: (answer: (value: unknown) => Promise<void>) => Promise<void>): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const answer = (value: unknown) => writer.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`))
  work(answer).then(
    () => writer.close(),
    (error: unknown) => writer.abort(error),
  )
  return new Response(readable)
}
