/** 128 random bits, hexadecimal. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
