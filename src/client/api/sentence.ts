/** With a full stop, unless it ends as sentences do. */
export function sentence(text: string): string {
  return text.replace(/[^.!?]$/, '$&.')
}
