/** Colours, or the text as it is. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
}

/** What decides about colours: https://no-color.org, https://force-color.org. */
export interface StyleSource {
  readonly isTTY?: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

const plain = (text: string) => text

export const plainStyle: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain }

// SGR codes (ECMA-48): on, off.
const colours: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
}

/** Colours on a terminal that has not refused them. */
export function styleFor({ isTTY = false, env }: StyleSource): Style {
  if (env.NO_COLOR) return plainStyle
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return colours
  return isTTY && env.TERM !== 'dumb' ? colours : plainStyle
}

function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`
}
