// Two columns each: East Asian wide and fullwidth forms (UAX #11), and what is shown as a picture (UTS #51).
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

// Control characters move the cursor or change colours, and bidirectional controls reorder what follows: a name must not.
const unprintable = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** The text with what a terminal would act on replaced by `\ufffd`. */
export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd')
}

/** Cuts the middle out of a text that is too wide: both ends of a path say something. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  if (width < 1) return ''
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment)
  let left = ''
  let right = ''
  let room = width - 1
  for (let i = 0, j = parts.length - 1; i <= j; ) {
    const fromLeft = left.length <= right.length
    const part = fromLeft ? parts[i++] : parts[j--]
    room -= displayWidth(part)
    if (room < 0) break
    if (fromLeft) left += part
    else right = part + right
  }
  return `${left}…${right}`
}
