import { UnavailableError } from '../errors.ts'

export interface ServeOptions {
  /** Answers requests: a backend's `fetch`. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Default 127.0.0.1: only this machine. */
  readonly hostname?: string
  /** Default 5173; 0 takes a free one. */
  readonly port?: number
  /** Further names under which it may be addressed. */
  readonly hosts?: readonly string[]
  /** Web pages that may use it. */
  readonly origins?: readonly string[]
}

export interface Serving {
  readonly url: string
  readonly port: number
  /** Takes no more requests, finishes those under way, for at most `graceMs` (default 10,000). */
  close(graceMs?: number): Promise<void>
}

/** Milliseconds for which what is under way may go on when a server ends. */
export const usualGrace = 10_000

/** Of a server when none is said. */
export const usualPort = 5173

/** Under which a server that listens there is addressed. */
export function hostsOf(hostname: string, port: number, further: readonly string[] = []): string[] {
  return [...[hostname, 'localhost', '127.0.0.1', '[::1]'].map((name) => withPort(name, port)), ...further]
}

export function urlOf(hostname: string, port: number): string {
  return `http://${withPort(hostname, port)}`
}

function withPort(hostname: string, port: number): string {
  const name = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
  return port === 80 ? name : `${name}:${port}`
}

/** Begins to listen, and says what is wrong when that cannot be. */
export function listening<T>(port: number, hostname: string, begin: () => T): T {
  try {
    return begin()
  } catch (cause) {
    throw listenError(port, hostname, cause)
  }
}

/** What a server throws that cannot listen. Deno has a class for a port that is taken, Node and Bun a code. */
export function listenError(port: number, hostname: string, cause: unknown): UnavailableError {
  const name = cause instanceof Error ? cause.name : ''
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  const taken = name === 'AddrInUse' || code === 'EADDRINUSE'
  const what = taken
    ? 'is taken by another program: choose one with --port'
    : `cannot be opened (${typeof code === 'string' ? code : name})`
  return new UnavailableError(`Port ${port} of ${hostname} ${what}.`, {
    code: taken ? 'port-taken' : 'port-unavailable',
    cause,
  })
}
