import { AbortedError, isTidemarkError, throwIfAborted, UnavailableError } from '../../errors.ts'

/** Seams for time and chance, so that tests need neither. */
export interface RetryOptions {
  /** Attempts in all. */
  readonly attempts: number
  readonly signal?: AbortSignal
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  readonly random?: () => number
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, ms: number) => void
}

// Full jitter under a doubling ceiling (AWS architecture blog, "Exponential backoff and jitter"): six attempts wait 8 s on average, 16 s at most.
const firstPause = 500
const longestPause = 8000

/** Runs `attempt` until it succeeds, fails for good, or the attempts are used up. Only `UnavailableError` with `fields.transient` is tried again. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let made = 1; ; made++) {
    throwIfAborted(options.signal)
    try {
      return await attempt()
    } catch (error) {
      await pauseAfter(error, made, options)
    }
  }
}

/** What follows the failure of the `made`th attempt: a pause; or the failure, when it is for good or was the last. */
export async function pauseAfter(error: unknown, made: number, options: RetryOptions): Promise<void> {
  const { attempts, signal, sleep = pause, random = Math.random, onRetry } = options
  if (made >= attempts || !isTransient(error)) throw error
  const ms = Math.round(random() * Math.min(longestPause, firstPause * 2 ** (made - 1)))
  onRetry?.(error, ms)
  await sleep(ms, signal)
}

function isTransient(error: unknown): boolean {
  return isTidemarkError(error) && error instanceof UnavailableError && error.fields.transient === true
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new AbortedError('The operation was aborted.', { code: 'aborted', cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
