// The worker of a page: what `aside.ts` asks of it. A script of its own with all that it needs in it, for import maps do not hold in workers.
import type { DeflateLevel } from '../platform/deflate.ts'
import { deflatedHere } from '../platform/deflate-fflate.ts'
import { Sha256, type Sha256State } from './sha256.ts'

/** Bytes to digest, alone and as what follows a hash begun; or those that came last, to deflate. */
export type AsideTask =
  | { readonly ticket: number; readonly bytes: Uint8Array<ArrayBuffer>; readonly state: Sha256State }
  | { readonly ticket: number; readonly level: DeflateLevel }

export type AsideAnswer =
  | { readonly digest: string; readonly state: Sha256State }
  /** Nothing when other bytes have come meanwhile. */
  | { readonly deflated?: Uint8Array<ArrayBuffer> }

let last: { readonly ticket: number; readonly bytes: Uint8Array<ArrayBuffer> } | undefined
// Answers come in the order in which they were asked for.
let answered: Promise<void> = Promise.resolve()

addEventListener('message', ({ data }: MessageEvent<AsideTask>) => {
  answered = answered.then(async () => {
    const answer = 'bytes' in data ? await digest(data) : deflate(data)
    const transfer = 'deflated' in answer && answer.deflated ? [answer.deflated.buffer] : []
    postMessage(answer, { transfer })
  })
})

async function digest({ ticket, bytes, state }: Extract<AsideTask, { bytes: unknown }>): Promise<AsideAnswer> {
  last = { ticket, bytes }
  // The platform's own runs beside: it cannot go on with a hash begun. Pages without TLS have none.
  const native = globalThis.crypto?.subtle?.digest('SHA-256', bytes)
  const whole = Sha256.from(state)
  whole.update(bytes)
  return { digest: native ? hex(await native) : once(bytes), state: whole.state }
}

function deflate({ ticket, level }: Extract<AsideTask, { level: unknown }>): AsideAnswer {
  if (last?.ticket !== ticket) return {}
  // A buffer of its own, to be given away.
  return { deflated: deflatedHere(last.bytes, level).slice() }
}

function once(bytes: Uint8Array): string {
  const hash = new Sha256()
  hash.update(bytes)
  return hash.hex()
}

function hex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
