import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSettings } from '../config.ts'
import { type ConnectOptions, connect, type Logger, NotFoundError, type Tidemark } from '../index.ts'
import type { Values } from './values.ts'

const defaultFolder = '.tidemark'

// What connect() takes when none is said.
const usualWorkspace = 'default'

/** The connection a command asks for, opened at most once and closed at the end. */
export class Session {
  readonly #values: Values
  readonly #logger: Logger
  #open: Promise<Tidemark> | undefined

  constructor(values: Values, logger: Logger) {
    this.#values = values
    this.#logger = logger
  }

  /** @throws NotFoundError `store-not-found`, unless the store may be made */
  readonly connect = async ({ create = false }: { create?: boolean } = {}): Promise<Tidemark> => {
    if (!create) await this.#requireStore()
    this.#open ??= this.#begin()
    return this.#open
  }

  async #begin(): Promise<Tidemark> {
    const tidemark = await connect(this.#options())
    if (!(await this.#mayChoose())) return tidemark
    const [workspace, ...others] = await tidemark.getWorkspaces()
    if (workspace === undefined || workspace === usualWorkspace || others.length > 0) return tidemark
    await tidemark.close()
    return connect({ ...this.#options(), workspace })
  }

  /** Nobody said which workspace of a server is meant: the only one that the key shows, then. */
  async #mayChoose(): Promise<boolean> {
    const [workspace, store, url, key] = ['workspace', 'store', 'url', 'api-key'].map((name) => this.#values.text(name))
    if (workspace !== undefined || store !== undefined) return false
    const settings = await readSettings(url !== undefined, { given: { apiKey: key } })
    return settings.workspace === undefined && (url ?? settings.url) !== undefined
  }

  async close(): Promise<void> {
    await (await this.#open)?.close()
  }

  #options(): ConnectOptions {
    const [store, url, apiKey, workspace, project] = ['store', 'url', 'api-key', 'workspace', 'project'].map((option) =>
      this.#values.text(option),
    )
    return {
      logger: this.#logger,
      ...(store !== undefined && { store }),
      ...(url !== undefined && { url }),
      ...(apiKey !== undefined && { apiKey }),
      ...(workspace !== undefined && { workspace }),
      ...(project !== undefined && { project }),
    }
  }

  /** A misspelt folder would look like an empty store. */
  async #requireStore(): Promise<void> {
    if (this.#values.text('url') !== undefined) return
    const given = this.#values.text('store')
    const settings = await readSettings(given !== undefined)
    if (settings.url !== undefined) return
    const store = given ?? settings.store ?? defaultFolder
    const folder = store.startsWith('file:') ? fileURLToPath(store) : store
    // Other schemes know for themselves what is there.
    if (/^[a-z][a-z0-9+.-]+:/i.test(folder) || existsSync(folder)) return
    const hint = (given ?? settings.store) ? 'Check --store.' : 'Go where it is, or say where with --store.'
    throw new NotFoundError(`There is no store in '${store}'. ${hint} A first tidemark put makes one.`, {
      code: 'store-not-found',
      fields: { store },
    })
  }
}
