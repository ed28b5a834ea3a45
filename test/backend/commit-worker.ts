import { createBackend } from '../../src/backend/backend.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { Caller } from '../conformance/backend-caller.ts'

// Commits its own versions of one artifact: node commit-worker.mjs FOLDER NAME HOW-MANY
const [path = '', name = '', times = '0'] = process.argv.slice(2)
const store = fsStore(path)
const backend = createBackend({ records: store, blobs: store })
const call = new Caller(backend.fetch)
const done: { index: number; mine: string }[] = []

for (let at = 0; at < Number(times); at++) {
  const mine = `${name}-${at}`
  const { version } = await call.log('busy', { a: mine }, { metadata: { mine }, aliases: [name] })
  done.push({ index: version.index, mine })
}

await backend.close()
process.send?.(done, () => process.disconnect())
