import { fsStore } from '../../src/stores/fs.ts'

// Adds its own effects to the history under one key, by compare-and-swap: node counter-worker.mjs FOLDER NAME HOW-MANY
const [path = '', name = '', times = '0'] = process.argv.slice(2)
const store = fsStore(path)
const done: string[] = []
let conflicts = 0

for (let i = 0; i < Number(times); i++) {
  const effect = `${name}-${i}`
  for (;;) {
    const value = await store.get('history')
    const history: string[] = value ? JSON.parse(new TextDecoder().decode(value.bytes)) : []
    const next = new TextEncoder().encode(JSON.stringify([...history, effect]))
    try {
      await store.put('history', next, value ? { ifMatch: value.etag } : { ifAbsent: true })
      break
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'store-conflict')) throw error
      conflicts++
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
    }
  }
  done.push(effect)
}

await store.close?.()
process.send?.({ done, conflicts }, () => process.disconnect())
