import { runtimeProcess } from './process.ts'

/** True where `node:fs` reaches files: Node, Deno, Bun. The build for other runtimes has `false` in its place, and none of the code for files. */
export function hasFiles(): boolean {
  return typeof runtimeProcess()?.versions?.node === 'string'
}
