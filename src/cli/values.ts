/** What was given on the command line, after it was checked. */
export class Values {
  readonly operands: readonly string[]
  readonly #texts: ReadonlyMap<string, readonly string[]>
  readonly #flags: ReadonlySet<string>

  constructor(operands: readonly string[], texts: ReadonlyMap<string, readonly string[]>, flags: ReadonlySet<string>) {
    this.operands = operands
    this.#texts = texts
    this.#flags = flags
  }

  /** Of an option given more than once, the last. */
  text(option: string): string | undefined {
    return this.#texts.get(option)?.at(-1)
  }

  texts(option: string): readonly string[] {
    return this.#texts.get(option) ?? []
  }

  flag(option: string): boolean {
    return this.#flags.has(option)
  }
}
