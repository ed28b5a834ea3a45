import { fsStore } from '../../src/stores/fs.ts'

// Puts and reads 300 keys, all at once: node many-worker.mjs FOLDER
const [path = ''] = process.argv.slice(2)
const stores = Array.from({ length: 3 }, () => fsStore(path))

await Promise.all(
  Array.from({ length: 300 }, async (_, i) => {
    const store = stores[i % 3]
    await store?.put(`k/${i}`, new Uint8Array([i]), { ifAbsent: true })
    if ((await store?.get(`k/${i}`))?.bytes[0] !== (i & 255)) throw new Error(`k/${i} is not what was put`)
  }),
)
