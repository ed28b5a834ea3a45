import type { LineEntry } from '../log/log-entry.ts'

// A line that never ends - a progress bar, a binary file - is cut here.
const longestLine = 64 * 1024

/** Makes lines of what a program writes: as a terminal shows them, where what stands before a carriage return is overwritten. */
export class OutputLines {
  readonly #stderr: boolean
  readonly #take: (line: LineEntry) => void
  readonly #next: () => number
  #rest = ''

  /** `next` gives the number of a line: what goes to both streams is counted together, in the order in which it was written. */
  constructor(stderr: boolean, take: (line: LineEntry) => void, next: () => number) {
    this.#stderr = stderr
    this.#take = take
    this.#next = next
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#end(line)
    // The last return may be half of a line end.
    const shown = this.#rest.lastIndexOf('\r', this.#rest.length - 2)
    if (shown !== -1) this.#rest = this.#rest.slice(shown + 1)
    while (this.#rest.length > longestLine) {
      this.#emit(this.#rest.slice(0, longestLine))
      this.#rest = this.#rest.slice(longestLine)
    }
  }

  /** The last line, though it has no end. */
  end(): void {
    const rest = this.#rest
    this.#rest = ''
    if (rest !== '') this.#end(rest)
  }

  #end(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    const shown = text.slice(text.lastIndexOf('\r') + 1)
    for (let at = 0; at === 0 || at < shown.length; at += longestLine) this.#emit(shown.slice(at, at + longestLine))
  }

  #emit(text: string): void {
    this.#take({
      kind: 'line',
      offset: this.#next(),
      // Half a character, where a piece was cut, has no place in JSON.
      text: text.replace(/\p{Surrogate}/gu, '\ufffd'),
      timestamp: Date.now(),
      ...(this.#stderr && { stderr: true }),
    })
  }
}
