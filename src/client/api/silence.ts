import { UnavailableError } from '../../errors.ts'
import type { Timers } from '../../platform/timers.ts'
import { untilAborted } from './until-aborted.ts'

/** How long a connection may be silent before it is given up. */
export interface Patience {
  /** For the next bytes of a body, in either direction. */
  readonly bodyMs: number
  /** From the last byte of a request to the first of the answer. */
  readonly answerMs: number
}

/**
 * A minute without a byte is what servers give up after too (nginx's `send_timeout`, Node's own); five minutes for an answer are what Node's `fetch` waits, and other runtimes
 * wait for ever.
 */
export const usualPatience: Patience = { bodyMs: 60_000, answerMs: 300_000 }

// Of a body that is handed over as a whole nobody sees how far it is: no line in use is slower.
const slowestBytesPerMs = 8

export interface Watched {
  /** Bytes of a body that is handed over as a whole. */
  readonly bytes?: number
  /** Default: `usualPatience`. */
  readonly patience?: Patience
  readonly timers: Pick<Timers, 'soon'>
  readonly signal?: AbortSignal
  /** `GET /path`, for messages. */
  readonly what: string
}

/** To be called with each piece of a body that is sent as a stream, and with its end. */
export type Progress = (ended: boolean) => void

/**
 * One request and its answer, given up when nothing moves any more: `send` gets the signal that ends it, and tells of its progress. Nobody is hurried who reads an answer
 * slowly.
 *
 * @throws UnavailableError `stalled`, which may be tried again
 */
export async function givenUpWhenSilent(
  send: (signal: AbortSignal, progress: Progress) => Promise<Response>,
  { bytes = 0, patience = usualPatience, timers, signal, what }: Watched,
): Promise<Response> {
  const giveUp = new AbortController()
  const passOn = () => giveUp.abort(signal?.reason)
  let callOff = (): void => undefined
  const wait = (ms: number) => {
    callOff()
    callOff = timers.soon(ms, () => giveUp.abort(stalled(what, ms)))
  }
  const over = () => {
    callOff()
    signal?.removeEventListener('abort', passOn)
  }
  if (signal?.aborted) throw signal.reason
  signal?.addEventListener('abort', passOn, { once: true })
  wait(patience.answerMs + bytes / slowestBytesPerMs)
  let answer: Response
  try {
    answer = await untilAborted(
      send(giveUp.signal, (ended) => wait(ended ? patience.answerMs : patience.bodyMs)),
      giveUp.signal,
    )
  } catch (error) {
    over()
    throw error
  }
  callOff()
  if (!answer.body) {
    over()
    return answer
  }
  const reader = answer.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        wait(patience.bodyMs)
        try {
          const { done, value } = await untilAborted(reader.read(), giveUp.signal)
          callOff()
          if (!done) {
            controller.enqueue(value)
            return
          }
          over()
          controller.close()
        } catch (error) {
          over()
          throw error
        }
      },
      cancel(reason) {
        over()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  const { status, statusText, headers } = answer
  return new Response(body, { status, statusText, headers })
}

function stalled(what: string, ms: number): UnavailableError {
  return new UnavailableError(
    `${what} stalled: nothing came or went for ${Math.round(ms / 1000)} s. Check the network; what was asked may have been done.`,
    { code: 'stalled', fields: { transient: true } },
  )
}
