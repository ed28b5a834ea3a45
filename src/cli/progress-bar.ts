import type { OnProgress, Progress } from '../index.ts'
import { shorten } from './cells.ts'
import { formatBytes, formatCount, formatDuration } from './human.ts'
import { plainStyle, type Style } from './style.ts'

/** What a bar needs of a terminal. */
export interface BarTerminal {
  readonly columns?: number
  write(text: string): unknown
}

const words: Readonly<Record<Progress['phase'], string>> = {
  logging: 'Logging',
  committing: 'Committing',
  downloading: 'Downloading',
  verifying: 'Verifying',
  done: 'Done',
}

// Terminals that do not say how wide they are are taken for the usual ones.
const usualColumns = 80
const barColumns = 24
// Before that, a rate is a guess.
const settled = 500

// Back to the first column, and erase to the end of the line (ECMA-48: EL).
const clearLine = '\r\u001b[K'

/** A bar that is redrawn in place. Draws nothing before the first progress, leaves nothing behind. */
export class ProgressBar {
  readonly #terminal: BarTerminal
  readonly #style: Style
  readonly #now: () => number
  #began: number | undefined
  #drawn = false

  constructor(terminal: BarTerminal, style: Style = plainStyle, now: () => number = () => performance.now()) {
    this.#terminal = terminal
    this.#style = style
    this.#now = now
  }

  readonly update: OnProgress = (progress) => {
    if (progress.phase === 'done') return this.clear()
    this.#began ??= this.#now()
    const columns = this.#terminal.columns || usualColumns
    // A line that fills the last column wraps on some terminals.
    const line = progressLine(progress, {
      columns: columns - 1,
      elapsed: this.#now() - this.#began,
      style: this.#style,
    })
    this.#terminal.write(clearLine + line)
    this.#drawn = true
  }

  clear(): void {
    if (this.#drawn) this.#terminal.write(clearLine)
    this.#drawn = false
    this.#began = undefined
  }
}

export interface LineOptions {
  readonly columns: number
  /** Milliseconds since it began. */
  readonly elapsed: number
  readonly style?: Style
}

/** One line: what goes on, a bar where the end is known, bytes, files, rate and time left, as far as there is room. */
export function progressLine(progress: Progress, { columns, elapsed, style = plainStyle }: LineOptions): string {
  const { phase, bytes, totalBytes, files, totalFiles } = progress
  const fraction = fractionOf(progress)
  const parts = [words[phase].padEnd(11)]
  if (fraction !== undefined) parts.push(`${drawBar(fraction)} ${String(Math.floor(fraction * 100)).padStart(3)}%`)
  parts.push(totalBytes === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`)
  if (totalFiles !== undefined && totalFiles > 1)
    parts.push(`${formatCount(files)} of ${formatCount(totalFiles)} files`)
  if (elapsed >= settled && bytes > 0) {
    parts.push(`${formatBytes((bytes / elapsed) * 1000)}/s`)
    if (totalBytes !== undefined && phase !== 'committing' && bytes < totalBytes)
      parts.push(`${formatDuration((elapsed * (totalBytes - bytes)) / bytes)} left`)
  }
  // What is said last is the first to go.
  while (parts.length > 1 && parts.join('  ').length > columns) parts.pop()
  const [word, ...rest] = parts
  return [style.cyan(shorten(word, columns)), ...rest].join('  ')
}

function fractionOf({ bytes, totalBytes, files, totalFiles }: Progress): number | undefined {
  if (totalBytes !== undefined && totalBytes > 0) return Math.min(1, bytes / totalBytes)
  return totalFiles !== undefined && totalFiles > 1 ? Math.min(1, files / totalFiles) : undefined
}

function drawBar(fraction: number): string {
  const full = Math.floor(fraction * barColumns)
  return '█'.repeat(full) + '░'.repeat(barColumns - full)
}
