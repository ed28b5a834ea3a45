import { CorruptionError } from '../errors.ts'
import { type ChunkRef, ownPack, type PackName } from '../protocol/chunk-ref.ts'
import { type ChunkSource, readChunk } from './chunk-source.ts'
import { decodePage, type Page, type PageKind } from './page.ts'

// Decoded pages kept: enough for the path to a leaf and its neighbours, at about 0.5 MB each.
const pagesKept = 24

// A page is at most a few hundred kilobytes; one that claims more was not written by us.
const largestPage = 16 * 1024 * 1024

/** Decoded pages of versions of one store, the last ones used: most pages of a version are those of the one before. */
export type KeptPages = Map<string, Promise<Page>>

/** Reads pages, each verified, and keeps the last ones used. */
export class PageReader {
  readonly #source: ChunkSource
  readonly #what: string
  readonly #kept: KeptPages

  constructor(source: ChunkSource, what: string, kept: KeptPages = new Map()) {
    this.#source = source
    this.#what = what
    this.#kept = kept
  }

  /** The page's items name their packs in full: no `*` is left. */
  async read(ref: ChunkRef, kind: PageKind, signal?: AbortSignal): Promise<Page> {
    // Two places may hold equal pages with different meanings of `*`: the place is part of the key.
    const key = `${ref.digest} ${ref.pack}`
    const kept = this.#kept.get(key)
    if (kept) {
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return kept
    }
    const page = this.#load(ref, kind, signal)
    this.#kept.set(key, page)
    if (this.#kept.size > pagesKept) this.#kept.delete(first(this.#kept.keys()))
    // A failure is not kept: the next reader tries again.
    page.catch(() => this.#kept.delete(key))
    return page
  }

  async #load(ref: ChunkRef, kind: PageKind, signal?: AbortSignal): Promise<Page> {
    if (ref.size > largestPage) throw this.#damaged('a page of it claims to be too large')
    const bytes = await readChunk(this.#source, ref, `The manifest of ${this.#what}`, signal)
    const page = decodePage(bytes, ref.pack, this.#what)
    if (page.kind !== kind) throw this.#damaged(`it has a page of ${page.kind} where one of ${kind} belongs`)
    return page
  }

  #damaged(reason: string): CorruptionError {
    return new CorruptionError(`The manifest of ${this.#what} is damaged: ${reason}.`, {
      code: 'page-damaged',
      fields: { what: this.#what },
    })
  }
}

/** The reference with `*` made the name of the pack that it stands for. */
export function inPack(ref: ChunkRef, home: PackName): ChunkRef {
  if (ref.pack !== ownPack && ref.base?.pack !== ownPack) return ref
  return { ...ref, pack: ref.pack === ownPack ? home : ref.pack, ...(ref.base && { base: inPack(ref.base, home) }) }
}

function first(keys: Iterator<string>): string {
  return keys.next().value ?? ''
}
