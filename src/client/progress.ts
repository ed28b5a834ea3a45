/** How far a long operation has come. */
export interface Progress {
  /** What is going on: bytes are logged, the version is committed; bytes are downloaded or verified; all is done. */
  readonly phase: 'logging' | 'committing' | 'downloading' | 'verifying' | 'done'
  /** Bytes of assets worked through. */
  readonly bytes: number
  /** Bytes of all assets, where they are known beforehand. */
  readonly totalBytes?: number
  /** Assets that are complete. */
  readonly files: number
  readonly totalFiles?: number
  /** Bytes newly stored (logging) or written (downloading): what the operation really cost. */
  readonly stored: number
}

export type OnProgress = (progress: Progress) => void

// Often enough for a smooth bar, seldom enough to cost nothing: a terminal or page repaints no faster than it is looked at.
const interval = 100

/** Tells `onProgress` at most every 100 ms, and always at the beginning of a phase and at the end. An error thrown by it ends the operation. */
export class ProgressReporter {
  #state: Progress
  #told = Number.NEGATIVE_INFINITY
  readonly #onProgress: OnProgress | undefined
  readonly #now: () => number

  constructor(
    onProgress: OnProgress | undefined,
    start: Pick<Progress, 'phase' | 'totalBytes' | 'totalFiles'>,
    now: () => number = () => performance.now(),
  ) {
    this.#onProgress = onProgress
    this.#now = now
    this.#state = { bytes: 0, files: 0, stored: 0, ...start }
    this.#tell()
  }

  add({ bytes = 0, files = 0, stored = 0 }: Partial<Pick<Progress, 'bytes' | 'files' | 'stored'>>): void {
    const { state } = this
    this.#state = { ...state, bytes: state.bytes + bytes, files: state.files + files, stored: state.stored + stored }
    if (this.#now() - this.#told >= interval) this.#tell()
  }

  get state(): Progress {
    return this.#state
  }

  enter(phase: Progress['phase']): void {
    this.#state = { ...this.#state, phase }
    this.#tell()
  }

  #tell(): void {
    this.#told = this.#now()
    this.#onProgress?.(this.#state)
  }
}
