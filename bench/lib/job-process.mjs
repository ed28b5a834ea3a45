// One job in a process of its own: prepares when told to, then takes a sample each time it is asked.
const [module, name, context] = process.argv.slice(2)
let job

// With a callback: should the other side be gone, that is no error to be shown.
const tell = (message) => process.send(message, () => undefined)

process.on('message', async (message) => {
  try {
    if (message === 'prepare') {
      const { jobs } = await import(module)
      job = await jobs[name](JSON.parse(context))
      tell({})
      return
    }
    await job.before?.()
    globalThis.gc()
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    const given = await job.sample()
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    const result = (await job.after?.(given)) ?? given
    tell({ ms, cpu: (user + system) / 1000, result: typeof result === 'object' ? result : undefined })
  } catch (error) {
    tell({ error: error?.stack ?? String(error) })
  }
})

// Whoever asked is gone: nobody wants the sample under way.
process.on('disconnect', () => process.exit())
