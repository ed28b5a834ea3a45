// A server in a process of its own: ours, ours answering without storing, or plain node:http between the network and a file.
import { createReadStream, createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBackend } from 'tidemark/backend'
import { serve } from 'tidemark/server/node'
import { fsStore } from 'tidemark/stores/fs'

const [kind, folder] = process.argv.slice(2)

const saved = JSON.stringify({ msg: 'saved', code: 200, data: null, sdk_error_code: 0 })

const kinds = {
  async ours() {
    const store = fsStore(join(folder, 'store'))
    const { fetch } = createBackend({ records: store, blobs: store })
    return (await serve({ fetch, port: 0 })).port
  },
  async idle() {
    const fetch = async (request) => {
      await request.json()
      return new Response(saved, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
    }
    return (await serve({ fetch, port: 0 })).port
  },
  async plain() {
    const path = join(folder, 'plain')
    const server = createServer(async (request, response) => {
      if (request.method === 'POST') {
        await pipeline(request, createWriteStream(path, { flush: true }))
        response.end('{}')
      } else {
        await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), response)
      }
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return server.address().port
  },
}

process.send({ port: await kinds[kind]() })
process.on('disconnect', () => process.exit())
