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
