import { type ArrowData, copiedData } from '../arrow/arrow-data.ts'
import type { Steps } from '../steps.ts'
import type { Arena } from './arena.ts'
import type { ColumnPieces } from './table-blocks.ts'

/** Pieces that are copied, one after another. */
export class CopiedPieces implements ColumnPieces {
  readonly #memory: Arena
  readonly #kept: ArrowData[] = []

  constructor(memory: Arena) {
    this.#memory = memory
  }

  *add(chunks: readonly ArrowData[]): Steps<void> {
    for (const data of chunks) {
      if (data.length === 0) continue
      this.#kept.push(copiedData(data, (view) => this.#memory.copy(view)))
      yield
    }
  }

  addLive(chunks: readonly ArrowData[]): Steps<void> {
    return this.add(chunks)
  }

  end(): readonly ArrowData[] {
    return this.#kept
  }
}
