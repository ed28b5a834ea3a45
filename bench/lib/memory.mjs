import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Begins to watch this process's resident memory; the function it returns gives how many bytes the peak since then lay above the start. Linux counts the
 * peak itself (`VmHWM`, which writing 5 to `clear_refs` resets, see proc(5)); elsewhere it is the peak since the process began, and so at most too high.
 */
export function watchMemory() {
  globalThis.gc()
  const linux = resetPeak()
  const before = process.memoryUsage().rss
  return () => (linux ? peakOnLinux() : process.resourceUsage().maxRSS * 1024) - before
}

function resetPeak() {
  if (process.platform !== 'linux') return false
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    return true
  } catch {
    // A sandbox that forbids it.
    return false
  }
}

function peakOnLinux() {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(kilobytes) * 1024
}
