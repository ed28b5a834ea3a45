import { comparePaths } from '../paths.ts'
import type { ChunkRef } from '../protocol/chunk-ref.ts'
import type { ChunkWriter } from './chunk-writer.ts'
import { type Content, type Entry, makeEntry } from './entry.ts'
import type { PackWriter } from './pack-writer.ts'
import { encodePage, type PageItem, type PageKind, type PageLink } from './page.ts'
import { PackNames } from './page-refs.ts'
import type { PlacedPage } from './version-reader.ts'

// Lines of a leaf: small enough that a changed line is found in a page of tens of kilobytes, large enough that 100,000 assets need one inner page.
const leafLines = { min: 64, target: 256, max: 1024 }
const innerLines = { min: 256, target: 512, max: 1024 }

// A leaf is also ended by its size: a line with much metadata may be tens of kilobytes.
const fullestPage = 256 * 1024

// What the stored form of a page may take beyond the page.
const pageRoom = 1024

/** The pages of the version before, to be used again where nothing changed and as bases of deltas where something did. */
export interface OldPages {
  /** From the root to the leaf where this item was or would be. */
  pathTo(item: PageItem, index: number): Promise<readonly PlacedPage[]>
}

/**
 * Writes a list as a tree of pages. Pages end where their lines say so (by path, or by digest in a list of chunks), so that an insertion changes the page
 * it falls in and one page on each level above.
 */
export class PageTreeWriter {
  readonly #packs: PackWriter
  readonly #chunks: ChunkWriter

  constructor(packs: PackWriter, chunks: ChunkWriter) {
    this.#packs = packs
    this.#chunks = chunks
  }

  /** Returns the root page; its reference may name a pack that is not complete: see `PackWriter.resolve`. */
  async write(kind: PageKind, items: readonly PageItem[], old?: OldPages): Promise<ChunkRef> {
    let lines = items
    for (let level = 0; ; level++) {
      const links: PageLink[] = []
      let index = 0
      for (const group of pagesOf(lines, level)) {
        const path = (await old?.pathTo(group[0], index)) ?? []
        const link = await this.#page(
          kind,
          level,
          group,
          path.find(({ page }) => page.level === level),
        )
        links.push(link)
        index += link.count
      }
      if (links.length === 1) return links[0].page
      lines = links
    }
  }

  async #page(kind: PageKind, level: number, items: readonly PageItem[], old?: PlacedPage): Promise<PageLink> {
    const totals = { first: first(items[0]), count: 0, bytes: 0 }
    for (const item of items) {
      totals.count += 'page' in item ? item.count : 1
      totals.bytes += 'page' in item ? item.bytes : item.size
    }
    if (old && isSame(items, old)) return { ...totals, page: old.ref }
    const names = new PackNames(old && worthGoingOn(old, items) ? old.page.packs : [])
    const bytes = await this.#encode(kind, level, items, names)
    const { ref } = await this.#chunks.write(bytes, { replaces: old?.ref, deflate: 'small', page: true })
    return { ...totals, page: ref }
  }

  /** A page and the chunks it calls `*` must lie in one pack: if the page does not fit into the pack being filled, its lines are written anew. */
  async #encode(kind: PageKind, level: number, items: readonly PageItem[], names: PackNames): Promise<Uint8Array> {
    while (true) {
      const pack = this.#packs.current
      const bytes = encodePage(
        kind,
        level,
        items.map((item) => this.#resolve(item)),
        names,
      )
      await this.#packs.makeRoom(bytes.length + pageRoom)
      if (this.#packs.current === pack) return bytes
    }
  }

  #resolve(item: PageItem): PageItem {
    if ('page' in item) return { ...item, page: this.#packs.resolve(item.page) }
    if (!('path' in item)) return this.#packs.resolve(item)
    const { path, size, digest, kind, mediaType, metadata, preview, info, remote } = item
    const previewChunk = item.previewChunk && this.#packs.resolve(item.previewChunk)
    const content = item.content && this.#resolveContent(item.content)
    return makeEntry({ path, size, digest, kind, mediaType, metadata, preview, previewChunk, info, content, remote })
  }

  #resolveContent(content: Content): Content {
    if ('tree' in content) return { tree: this.#packs.resolve(content.tree) }
    return { chunks: content.chunks.map((ref) => this.#packs.resolve(ref)) }
  }
}

/** Cuts a list into pages. */
function* pagesOf(items: readonly PageItem[], level: number): Generator<readonly PageItem[]> {
  const { min, target, max } = level === 0 ? leafLines : innerLines
  if (level > 0 && items.length <= max) {
    yield items
    return
  }
  let from = 0
  let bytes = 0
  for (let at = 0; at < items.length; at++) {
    const count = at + 1 - from
    bytes += weight(items[at])
    const cut = count >= min && hash(identity(items[at])) % target === 0
    if (!cut && count < max && bytes < fullestPage) continue
    yield items.slice(from, at + 1)
    from = at + 1
    bytes = 0
  }
  if (from < items.length || items.length === 0) yield items.slice(from)
}

/** What decides whether a page ends behind an item: nothing that an edit of its content changes. */
function identity(item: PageItem): string {
  if ('path' in item) return item.path
  if ('page' in item) return item.first || item.page.digest
  return item.digest
}

function first(item: PageItem | undefined): string {
  if (!item) return ''
  if ('path' in item) return item.path
  return 'page' in item ? item.first : ''
}

/** About how many bytes an item's line takes: only what can be large is looked at. */
function weight(item: PageItem): number {
  if (!('path' in item)) return 120
  const { path, metadata, preview, info, content } = item
  const extra = [metadata, preview, info].reduce((sum, part) => sum + (part ? JSON.stringify(part).length : 0), 0)
  return 160 + path.length + extra + (content && 'chunks' in content ? content.chunks.length * 110 : 110)
}

function isSame(items: readonly PageItem[], { page }: PlacedPage): boolean {
  const old: readonly PageItem[] = page.level > 0 ? page.links : page.kind === 'entries' ? page.entries : page.chunks
  return old.length === items.length && items.every((item, index) => sameItem(item, old[index]))
}

function sameItem(a: PageItem, b: PageItem): boolean {
  if (a === b) return true
  if ('page' in a) return 'page' in b && a.page.digest === b.page.digest && a.page.pack === b.page.pack
  if ('path' in a) return 'path' in b && comparePaths(a.path, b.path) === 0 && sameEntry(a, b)
  return 'digest' in b && a.digest === b.digest
}

/** Equal in all that a user sees; where the bytes lie, and what the codec noted for itself, may differ. */
export function sameEntry(a: Entry, b: Entry): boolean {
  return (
    a.digest === b.digest &&
    a.kind === b.kind &&
    a.mediaType === b.mediaType &&
    JSON.stringify([a.metadata, a.remote]) === JSON.stringify([b.metadata, b.remote])
  )
}

/** False when most packs that the old page names are not needed any more: then a fresh list of names is shorter. */
function worthGoingOn({ page }: PlacedPage, items: readonly PageItem[]): boolean {
  return page.packs.length < 64 + items.length
}

// FNV-1a: cuts only need to be spread evenly and to be the same everywhere.
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}
