import type { Surroundings } from '../surroundings.ts'

/** Browsers and workers: they know little of the machine, and nothing of code and git. */
export const webSurroundings: Surroundings = {
  code: async () => undefined,
  git: async () => undefined,
  async system() {
    const navigator: unknown = Reflect.get(globalThis, 'navigator')
    if (typeof navigator !== 'object' || navigator === null) return {}
    const facts = ['userAgent', 'language', 'hardwareConcurrency', 'deviceMemory'].flatMap((key) => {
      const value: unknown = Reflect.get(navigator, key)
      return typeof value === 'string' || typeof value === 'number' ? [{ key, value: String(value) }] : []
    })
    const platform = platformOf(navigator)
    return {
      ...(platform !== undefined && { osType: platform }),
      ...(facts.length > 0 && { logAdditionalSystemInfoList: facts }),
    }
  },
}

function platformOf(navigator: object): string | undefined {
  const data: unknown = Reflect.get(navigator, 'userAgentData')
  const newer: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'platform') : undefined
  const older: unknown = Reflect.get(navigator, 'platform')
  if (typeof newer === 'string' && newer !== '') return newer
  return typeof older === 'string' && older !== '' ? older : undefined
}
