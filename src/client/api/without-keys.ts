// A shorter one is found in words.
const shortestKey = 6

/** A text in which no key stands: messages go to logs, output and patches to whoever reads the experiment. */
export function withoutKeys(text: string, keys: readonly (string | undefined)[]): string {
  return keys.reduce<string>(
    (without, key = '') => (key.length < shortestKey ? without : without.replaceAll(key, '***')),
    text,
  )
}
