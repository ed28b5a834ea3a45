import type { LoggedArtifact } from './logged-artifact.ts'

/** A change of a watched table was committed. */
export class VersionEvent extends Event {
  /** Semantic version, `2.0.0`. */
  readonly version: string
  readonly logged: LoggedArtifact

  constructor(logged: LoggedArtifact) {
    super('version')
    this.version = logged.version
    this.logged = logged
  }
}

/** A watched table could not be read or committed. It is tried again with what it holds then: nothing is lost. */
export class WatchErrorEvent extends Event {
  readonly #error: unknown
  #seen = false

  constructor(error: unknown) {
    super('error')
    this.#error = error
  }

  get error(): unknown {
    this.#seen = true
    return this.#error
  }

  /** Somebody looked at the error. */
  get seen(): boolean {
    return this.#seen
  }
}

export interface RegisteredArtifactEvents {
  version: VersionEvent
  error: WatchErrorEvent
}

type Listener<Name extends keyof RegisteredArtifactEvents> =
  | ((this: RegisteredArtifact, event: RegisteredArtifactEvents[Name]) => unknown)
  | { handleEvent(event: RegisteredArtifactEvents[Name]): unknown }

/** Typed as its events are. */
export interface RegisteredArtifact {
  addEventListener<Name extends keyof RegisteredArtifactEvents>(
    name: Name,
    listener: Listener<Name> | null,
    options?: Parameters<EventTarget['addEventListener']>[2],
  ): void
  removeEventListener<Name extends keyof RegisteredArtifactEvents>(
    name: Name,
    listener: Listener<Name> | null,
    options?: Parameters<EventTarget['removeEventListener']>[2],
  ): void
}

/**
 * A watched table: each change that is noticed becomes a version, of which only the change is stored. Made by `experiment.registerArtifact`.
 *
 * Events: `version` (`event.version`, `event.logged`) after each version; `error` (`event.error`) when the table could not be read or committed. An error that no listener
 * looks at goes to the logger.
 *
 * @example
 * ```ts
 * const rows = [{ id: 1, label: 'rose' }, { id: 2, label: 'tulip' }]
 * const train = await experiment.registerArtifact('train', rows, { key: 'id' })
 * train.addEventListener('version', (event) => console.log(event.version))
 * rows[0].label = 'iris'
 * await train.flush() // 2.0.0
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says more about methods that EventTarget has.
export class RegisteredArtifact extends EventTarget {
  readonly name: string
  readonly #watcher: Watching
  readonly #unregister: (options: UnregisterOptions) => Promise<void>

  constructor(name: string, watcher: Watching, unregister: (options: UnregisterOptions) => Promise<void>) {
    super()
    this.name = name
    this.#watcher = watcher
    this.#unregister = unregister
  }

  /** What is watched: the table itself, or the function that gives it. */
  get source(): unknown {
    return this.#watcher.source
  }

  /** The newest version that was committed from this source. */
  get latest(): LoggedArtifact | undefined {
    return this.#watcher.latest?.logged
  }

  /** True while a change that was noticed is not committed yet. */
  get pending(): boolean {
    return this.#watcher.pending
  }

  /**
   * Looks at the table at once; resolves when what was found is committed.
   *
   * @throws what went wrong: the table cannot be stored, the store cannot be reached. It is tried again all the same.
   * @throws InvalidInputError `not-watched` after it was unregistered
   */
  flush(): Promise<void> {
    return this.#watcher.flush()
  }

  /** As `experiment.unregisterArtifact(name)`. */
  unregister(options: UnregisterOptions = {}): Promise<void> {
    return this.#unregister(options)
  }
}

/** What goes on behind it. */
interface Watching {
  readonly source: unknown
  readonly latest: { readonly logged: LoggedArtifact } | undefined
  readonly pending: boolean
  flush(): Promise<void>
}

export interface UnregisterOptions {
  /** Stop without a last look: changes that are not committed stay unsaid. */
  readonly discard?: boolean
}
