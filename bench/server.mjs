// The server and its client in separate processes on one machine.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countRow, megabytes, timeRow } from './lib/results.mjs'

export const question = 'How fast is the server: single points, a large asset, long lists, long series?'

const program = fileURLToPath(new URL('./lib/serve-process.mjs', import.meta.url))
const rest = '/api/rest/v2'
const inFlight = 32
const posts = 16_000
const rounds = 3
const gibibyte = 1024 ** 3
const experiments = 10_000
const points = 1_000_000
const batch = 20_000

export async function run() {
  return [...(await singlePoints()), ...(await largeAsset()), ...(await longLists())]
}

async function singlePoints() {
  return withServers(['ours', 'idle'], async ({ ours, idle }) => {
    const key = await ours.experiment()
    const many = await Promise.all(Array.from({ length: inFlight }, () => ours.experiment()))
    const one = (at) => metric(key, at)
    const spread = (at) => metric(many[at % inFlight], at)
    const jobs = { stored: () => ours.flood(one), spread: () => ours.flood(spread), floor: () => idle.flood(one) }
    const times = await inTurn(jobs)
    return [
      timeRow(`${posts} single points, ${inFlight} at a time, each durable`, {
        ours: times.stored,
        against: 'the same server answering without storing',
        theirs: times.floor,
        bar: 2.5,
        elsewhere: true,
      }),
      timeRow(`the same, of ${inFlight} experiments`, {
        ours: times.spread,
        against: 'the same server answering without storing',
        theirs: times.floor,
        elsewhere: true,
      }),
    ]
  })
}

async function largeAsset() {
  return withServers(['ours', 'plain'], async ({ ours, plain }) => {
    const key = await ours.experiment()
    await ours.upload(key, 'warm', 16 * 1024 ** 2)
    const idle = ours.residentAnew()
    await ours.upload(key, 'large', gibibyte)
    const above = ours.peak() - idle
    const times = await inTurn({
      ours: async () => {
        const assetId = await ours.upload(key, 'large', gibibyte)
        await ours.download(`${rest}/experiment/asset/get-asset?experimentKey=${key}&assetId=${assetId}`)
      },
      plain: async () => {
        await plain.send('POST', '/', largeBody(gibibyte, ''), { 'content-length': gibibyte })
        await plain.download('/')
      },
    })
    return [
      countRow('1 GiB up, multipart: peak memory of the server above idle', {
        value: megabytes(above),
        bar: 157,
        unit: 'MB',
      }),
      timeRow('1 GiB asset up and down', {
        ours: times.ours,
        against: 'plain node:http piping to and from a file, fsync',
        theirs: times.plain,
        bar: 2,
        elsewhere: true,
      }),
    ]
  })
}

async function longLists() {
  return withServers(['ours'], async ({ ours }) => {
    const key = await ours.experiment()
    await eachOf(experiments - 1, () => ours.experiment())
    const list = `${rest}/experiments?workspaceName=default&projectName=general`
    const listed = await median(async () => {
      const { experiments: found } = await ours.json('GET', list)
      if (found.length !== experiments) throw new Error(`${found.length} experiments`)
    })
    const began = performance.now()
    for (let sequence = 1; sequence <= points / batch; sequence++)
      await ours.json('POST', `/api/tidemark/v1/experiments/${key}/log`, batchOf(sequence))
    const rate = Math.round(points / ((performance.now() - began) / 1000))
    const chart = { targetedExperiments: [key], metrics: ['loss'], fetchFull: false, independentMetrics: true }
    const drawn = await median(async () => {
      const { experiments: found } = await ours.json('POST', `${rest}/experiments/multi-metric-chart`, chart)
      const { length } = found[key].metrics[0].values
      if (length < 400 || length > 600) throw new Error(`${length} points`)
    })
    return [
      countRow(`list ${experiments} experiments of a project, one request`, { value: listed, bar: 300, unit: 'ms' }),
      countRow(`sampled chart of a series of ${points} points`, { value: drawn, bar: 150, unit: 'ms' }),
      {
        job: `batches of ${batch} points, durable, one after another`,
        ours: `${rate} points/s`,
        against: '',
        theirs: '',
        ratio: '',
        bar: 'at least 100000',
        pass: rate >= 100_000,
      },
    ]
  })
}

function metric(experimentKey, step) {
  const point = { experimentKey, metricName: 'loss', metricValue: 1 / (step + 1), step, timestamp: 1.7e12 + step }
  return ['POST', `${rest}/write/experiment/metric`, Buffer.from(JSON.stringify(point))]
}

function batchOf(sequence) {
  const at = (sequence - 1) * batch
  const numbers = (make) => Array.from({ length: batch }, (_, i) => make(at + i))
  const metrics = [
    {
      name: 'loss',
      values: numbers((i) => Math.sin(i / 1000) + ((i * 7919) % 997) / 1000),
      steps: numbers((i) => i),
      timestamps: numbers((i) => 1.7e12 + i * 3 + (i % 2)),
    },
  ]
  return { writer: 'bench-writer', sequence, metrics }
}

async function withServers(kinds, work) {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  const servers = {}
  try {
    for (const kind of kinds) servers[kind] = await startServer(kind, folder)
    return await work(servers)
  } finally {
    for (const server of Object.values(servers)) await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function startServer(kind, folder) {
  const child = fork(program, [kind, folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ port }] = await once(child, 'message')
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight })
  const send = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, port, host: '127.0.0.1', method, path, headers }, resolve)
      sent.on('error', reject)
      if (body === undefined || Buffer.isBuffer(body)) sent.end(body)
      else pump(body, sent).catch(reject)
    })
  const text = async (method, path, body, headers) => {
    const reply = await send(method, path, body, headers)
    const pieces = []
    for await (const piece of reply) pieces.push(piece)
    const answer = Buffer.concat(pieces).toString()
    if (reply.statusCode !== 200) throw new Error(`${method} ${path}: ${reply.statusCode} ${answer}`)
    return answer
  }
  const json = async (method, path, value) => {
    const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value))
    return JSON.parse(await text(method, path, body, { 'content-type': 'application/json' }))
  }
  const jsonHeaders = { 'content-type': 'application/json' }
  return {
    json,
    send: async (method, path, body, headers) => void (await text(method, path, body, headers)),
    experiment: async () => (await json('POST', `${rest}/write/experiment/create`, {})).experimentKey,
    flood: (make) =>
      eachOf(posts, async (at) => {
        const [method, path, body] = make(at)
        await text(method, path, body, { ...jsonHeaders, 'content-length': body.length })
      }),
    upload: async (key, fileName, size) => {
      const boundary = 'bench-boundary'
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`
      const tail = `\r\n--${boundary}--\r\n`
      const path = `${rest}/write/experiment/upload-asset?experimentKey=${key}&overwrite=true&fileName=${fileName}`
      const headers = {
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': head.length + size + tail.length,
      }
      return JSON.parse(await text('POST', path, largeBody(size, head, tail), headers)).assetId
    },
    download: async (path) => {
      const reply = await send('GET', path)
      let size = 0
      for await (const piece of reply) size += piece.length
      if (size !== gibibyte) throw new Error(`${size} bytes came down`)
    },
    residentAnew: () => {
      writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
      return memoryOf(child.pid, 'VmRSS')
    },
    peak: () => memoryOf(child.pid, 'VmHWM'),
    stop: async () => {
      agent.destroy()
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

function* largeBody(size, head = '', tail = '') {
  if (head) yield Buffer.from(head)
  const piece = Buffer.alloc(1024 * 1024)
  for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at)
  for (let at = 0; at < size; at += piece.length) yield piece.subarray(0, Math.min(piece.length, size - at))
  if (tail) yield Buffer.from(tail)
}

async function pump(body, into) {
  for (const piece of body) if (!into.write(piece)) await once(into, 'drain')
  into.end()
}

function memoryOf(pid, field) {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${field}:`))
  return Number(line?.match(/\d+/)?.[0]) * 1024
}

async function eachOf(count, work) {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

/** Median, fastest and slowest of each, taken in turn, after one that warms up. */
async function inTurn(jobs) {
  const times = Object.fromEntries(Object.keys(jobs).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++)
    for (const [name, job] of Object.entries(jobs)) {
      const began = performance.now()
      await job()
      if (round > 0) times[name].push(performance.now() - began)
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, summary(list)]))
}

async function median(job) {
  const { job: time } = await inTurn({ job })
  return Math.round(time.median)
}

function summary(list) {
  const sorted = [...list].sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)], low: sorted[0], high: sorted.at(-1), cpu: 0 }
}
