#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.ts'

// As shells report a program that a signal ended.
const exitBySignal = { SIGINT: 130, SIGTERM: 143 } as const

const aborting = new AbortController()
let interrupted: keyof typeof exitBySignal | undefined

for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    // Asked twice: at once, whatever is under way.
    if (interrupted) process.exit(exitBySignal[name])
    interrupted = name
    aborting.abort()
  })

// Not awaited here: bundlers may put what other modules share into this one, and those, loaded while it waits, would wait for it.
void run(process.argv.slice(2), aborting.signal).then((code) => {
  process.exitCode = interrupted && code !== 0 ? exitBySignal[interrupted] : code
})
