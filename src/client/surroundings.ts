import { hasFiles } from '../platform/files.ts'
import type { JsonValue } from '../protocol/shapes.ts'
import { webSurroundings } from './surroundings/surroundings-web.ts'

/** What a repository is like; what is not known is left out. */
export interface GitFacts {
  readonly branch?: string
  /** As it is configured: perhaps with a password. */
  readonly origin?: string
  readonly parent?: string
  readonly user?: string
  readonly root?: string
  /** What is not committed, as `git diff` prints it. */
  readonly patch?: string
}

/** What a runtime can tell of itself and of the program it runs. */
export interface Surroundings {
  /** The text of the program, where it is one file. */
  code(): Promise<string | undefined>
  git(): Promise<GitFacts | undefined>
  /** Comet's names; what cannot be known is left out. */
  system(): Promise<Readonly<Record<string, JsonValue>>>
  /** Takes a copy of what the program writes, which is shown as ever; the function it gives ends that. Where it is left out: of what goes to the console. */
  readonly capture?: (stream: 'stdout' | 'stderr', take: (text: string) => void) => () => void
}

/** Those of this runtime. */
export async function openSurroundings(): Promise<Surroundings> {
  if (hasFiles()) return (await import('./surroundings/surroundings-fs.ts')).processSurroundings
  return webSurroundings
}
