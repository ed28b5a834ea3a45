import type { Writable } from 'node:stream'
import { UnavailableError } from '../index.ts'
import { plainStyle, type Style, styleFor } from './style.ts'
import { type Column, renderTable } from './table.ts'

/** Where results go: text for people, or one JSON document. */
export class Output {
  readonly json: boolean
  readonly style: Style
  readonly #stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  #open = true
  #failure: Error | undefined

  constructor(
    stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
    json: boolean,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.json = json
    this.#stream = stream
    this.style = json ? plainStyle : styleFor({ isTTY: stream.isTTY, env })
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#open = false
      // The reader has seen enough (`tidemark ls | head`): not a failure, and nobody is left to be told.
      if (error.code !== 'EPIPE') this.#failure ??= error
    })
  }

  /** Columns of the terminal; `undefined` for a file or a pipe, or when it does not say. */
  get width(): number | undefined {
    return (this.#stream.isTTY && this.#stream.columns) || undefined
  }

  /**
   * Waits until all is written.
   *
   * @throws UnavailableError `output-failed`: to a full disk, for example
   */
  async finish(): Promise<void> {
    if (this.#open) await new Promise((resolve) => this.#stream.write('', resolve))
    if (this.#failure)
      throw new UnavailableError(
        `What was found could not be written: ${this.#failure.message}. Free some space, or send it elsewhere.`,
        {
          code: 'output-failed',
          cause: this.#failure,
        },
      )
  }

  line(text: string): void {
    if (this.#open) this.#stream.write(`${text}\n`)
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const { width } = this
    this.line(renderTable(columns, rows, { style: this.style, ...(width !== undefined && { width }) }))
  }

  /** The one document that `--json` prints. */
  document(value: unknown): void {
    this.line(JSON.stringify(value, undefined, 2))
  }
}
