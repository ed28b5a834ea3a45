import { randomId } from '../random-id.ts'

export interface FormBody {
  readonly body: Blob
  readonly bytes: number
  readonly headers: Readonly<Record<string, string>>
  readonly failure?: undefined
}

/**
 * A form as the body of a request, in the bytes that `fetch` would make of it. WebKit 2.50 cannot read the body of a `Request` of its own making when a form with
 * a Blob is in it; nothing is copied, since a Blob of Blobs refers to them.
 */
export function formBody(form: FormData): FormBody {
  const boundary = newBoundary()
  const parts: BlobPart[] = []
  for (const [name, value] of form) {
    if (typeof value === 'string') parts.push(fieldPart(boundary, name, value))
    else parts.push(fileHead(boundary, name, value), value, '\r\n')
  }
  parts.push(formEnd(boundary))
  const body = new Blob(parts)
  return { body, bytes: body.size, headers: { 'content-type': formType(boundary) } }
}

export function newBoundary(): string {
  return `----tidemark-${randomId()}`
}

export function formType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`
}

export function fieldPart(boundary: string, name: string, value: string): string {
  return `${disposition(boundary, name)}\r\n\r\n${value.replace(/\r\n|\r|\n/g, '\r\n')}\r\n`
}

/** What stands before the bytes of a file; a line end follows them. */
export function fileHead(
  boundary: string,
  name: string,
  file: { readonly name: string; readonly type: string },
): string {
  const type = file.type || 'application/octet-stream'
  return `${disposition(boundary, name)}; filename="${escaped(file.name)}"\r\nContent-Type: ${type}\r\n\r\n`
}

export function formEnd(boundary: string): string {
  return `--${boundary}--\r\n`
}

function disposition(boundary: string, name: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`
}

/** As the HTML standard has it: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function escaped(name: string): string {
  return name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')
}
