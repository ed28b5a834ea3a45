/** An experiment, and a version that it used or made. */
export interface LineageExperiment {
  readonly experimentKey: string
  /** Null when the experiment was deleted. */
  readonly name: string | null
  readonly project: string | null
}

export interface LineageVersion {
  readonly workspace: string
  readonly name: string
  readonly index: number
}

/** Where a version came from and where it went. */
export interface LineageReply {
  readonly producer: (LineageExperiment & { readonly inputs: readonly LineageVersion[] }) | null
  readonly consumers: readonly (LineageExperiment & {
    /** When it first asked for the version, in milliseconds since 1970. */
    readonly at: number
    readonly outputs: readonly LineageVersion[]
  })[]
}
