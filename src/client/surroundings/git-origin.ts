/** `https://user:token@host/x` without what is before the `@`; `git@host:x` has no secret in it. */
export function withoutCredentials(origin: string): string {
  return origin.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1')
}
