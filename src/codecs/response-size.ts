/**
 * Bytes the body of a response will have; unknown when it travels compressed, for then the header counts the compressed ones. A page is not told of that by another
 * origin, but of the length it is: https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
 */
export function sizeOfResponse({ headers, type }: Response): number | undefined {
  const length = headers.get('content-length')
  const isKnown = length !== null && /^\d{1,15}$/.test(length) && !headers.has('content-encoding') && type !== 'cors'
  return isKnown ? Number(length) : undefined
}
