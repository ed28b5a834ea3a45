import type { Writable } from 'node:stream'
import { plainStyle, type Style, styleFor } from './style.ts'
import { type Column, renderTable } from './table.ts'

/** Where results go: text for people, or one JSON document. */
export class Output {
  readonly json: boolean
  readonly style: Style
  readonly #stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  #open = true

  constructor(
    stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
    json: boolean,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.json = json
    this.#stream = stream
    this.style = json ? plainStyle : styleFor({ isTTY: stream.isTTY, env })
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has seen enough (`tidemark ls | head`): not a failure, and nobody is left to be told.
      if (error.code !== 'EPIPE') throw error
      this.#open = false
    })
  }

  /** Columns of the terminal; `undefined` for a file or a pipe. */
  get width(): number | undefined {
    return this.#stream.isTTY ? this.#stream.columns : undefined
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
