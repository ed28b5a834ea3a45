import { randomId } from './random-id.ts'

/**
 * A form as the body of a request, in the bytes that `fetch` would make of it. WebKit 2.50 cannot read the body of a `Request` of its own making when a form with
 * a Blob is in it; nothing is copied, since a Blob of Blobs refers to them.
 */
export function formBody(form: FormData): { readonly body: Blob; readonly headers: Readonly<Record<string, string>> } {
  const boundary = `----tidemark-${randomId()}`
  const parts: BlobPart[] = []
  for (const [name, value] of form) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`)
    if (typeof value === 'string') parts.push('\r\n\r\n', value.replace(/\r\n|\r|\n/g, '\r\n'), '\r\n')
    else {
      const type = value.type || 'application/octet-stream'
      parts.push(`; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`, value, '\r\n')
    }
  }
  parts.push(`--${boundary}--\r\n`)
  return { body: new Blob(parts), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}

/** As the HTML standard has it: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function escaped(name: string): string {
  return name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')
}
