import { fsStore } from '../../src/stores/fs.ts'

// Writes until it is killed, and acknowledges on stdout what it wrote: node crash-worker.mjs FOLDER ROUND
const [path = '', round = ''] = process.argv.slice(2)
const store = fsStore(path)

/** A value that shows whether it is whole: its number, repeated. */
function value(i: number): Uint8Array {
  return new TextEncoder().encode(`${round}.${i};`.repeat(1 + ((i * 7919) % 4_000)))
}

function acknowledge(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()))
}

async function packs(lane: number): Promise<void> {
  for (let i = lane; ; i += 4) {
    await store.put(`packs/${i % 3}/${round}-${i}`, value(i), { ifAbsent: true })
    await acknowledge(`packs/${i % 3}/${round}-${i} ${i}`)
  }
}

async function head(): Promise<void> {
  for (let i = 0; ; i++) {
    await store.put('head', value(i))
    await acknowledge(`head ${i}`)
    if (i % 5 === 4) {
      await store.delete(`gone/${i - 4}`)
      await acknowledge(`gone/${i - 4} deleted`)
    } else await store.put(`gone/${i}`, value(i))
  }
}

await Promise.all([packs(0), packs(1), packs(2), packs(3), head()])
