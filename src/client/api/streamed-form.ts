import type { EncodedFile } from '../upload/encoded-file.ts'
import { fieldPart, fileHead, formEnd, formType, newBoundary } from './form-body.ts'
import type { Progress } from './silence.ts'

/** A form whose file is not in memory: read while it is sent. */
export interface StreamedForm {
  readonly headers: Readonly<Record<string, string>>
  /** Its body, from the start. */
  stream(progress: Progress): RequestInit
  /** What the source failed with while it was read. */
  failure(): unknown
}

/** Fields, and then one file. */
export function streamedForm(
  fields: Readonly<Record<string, string>>,
  file: Pick<EncodedFile, 'size' | 'mediaType' | 'open'> & { readonly name: string },
): StreamedForm {
  const boundary = newBoundary()
  const { name, size, mediaType: type } = file
  const texts = Object.entries(fields).map(([field, value]) => fieldPart(boundary, field, value))
  const head = new TextEncoder().encode(texts.join('') + fileHead(boundary, 'file', { name, type }))
  const tail = new TextEncoder().encode(`\r\n${formEnd(boundary)}`)
  let failure: unknown
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield head
    yield* file.open()
    yield tail
  }
  return {
    headers: { 'content-type': formType(boundary), 'content-length': String(head.length + size + tail.length) },
    failure: () => failure,
    stream(progress) {
      const source = pieces()
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              const { done, value } = await source.next()
              progress(done === true)
              if (done) controller.close()
              // What sends it may hold it while the source uses its buffer again.
              else controller.enqueue(new Uint8Array(value))
            } catch (error) {
              failure = error
              throw error
            }
          },
          async cancel() {
            await source.return(undefined)
          },
        },
        { highWaterMark: 0 },
      )
      return { body, ...unheld }
    },
  }
}

// Node's fetch keeps a copy of all it sends while it may have to follow a redirection with it, or show it to a service worker. A stream cannot be sent twice anyway.
const unheld = { duplex: 'half', redirect: 'error', window: null } as const
