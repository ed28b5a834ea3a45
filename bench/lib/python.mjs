import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const own = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))

/** A Python that has this module: that of the checkout, or of the machine; undefined when there is none. */
export function pythonWith(module) {
  const found = [...(existsSync(own) ? [own] : []), 'python3', 'python']
  return found.find((python) => spawnSync(python, ['-c', `import ${module}`]).status === 0)
}
