import {
  close,
  constants,
  fstat,
  fsync,
  lstat,
  open,
  promises,
  read as readBytes,
  readdir,
  rename,
  unlink,
  write as writeBytes,
} from 'node:fs'

/** The part of `fs.Stats` that the store looks at. */
export interface FsStat {
  readonly size: number
  readonly mtimeMs: number
  readonly ino: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** One name in a folder. */
export interface FsName {
  readonly name: string
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** An open file. */
export interface FsHandle {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  stat(): Promise<FsStat>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Every file system call the store makes, so that tests can make each one fail in turn. */
export interface FsIo {
  open(path: string, mode: 'read' | 'create' | 'folder'): Promise<FsHandle>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  readdir(path: string): Promise<FsName[]>
  lstat(path: string): Promise<FsStat>
  realpath(path: string): Promise<string>
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants
// Absent on Windows, where opening a link needs a privilege to make one in the first place. Non-blocking, so that a pipe put in the way cannot hang us.
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0
const O_NONBLOCK = constants.O_NONBLOCK ?? 0

const flags = {
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  create: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
  folder: O_RDONLY,
}

/** One call with a callback. A put of 400 bytes is nine of them: `fs.promises` took 60 % more processor time for it (Node 20, ext4: 180 against 110 us). */
function called<T>(call: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))))
}

/** What was opened, by its descriptor. */
function handleOf(descriptor: number): FsHandle {
  return {
    write: async (bytes, offset, length) => ({
      bytesWritten: await called<number>((done) => writeBytes(descriptor, bytes, offset, length, null, done)),
    }),
    read: async (into, offset, length, position) => ({
      bytesRead: await called<number>((done) => readBytes(descriptor, into, offset, length, position, done)),
    }),
    stat: () => called<FsStat>((done) => fstat(descriptor, done)),
    sync: () => called<void>((done) => fsync(descriptor, done)),
    close: () => called<void>((done) => close(descriptor, done)),
  }
}

/** The real file system. Modes are left to the umask, as git does: a laboratory shares a store by its umask and group. */
export const nodeIo: FsIo = {
  open: (path, mode) => patiently(async () => handleOf(await called<number>((done) => open(path, flags[mode], done)))),
  link: (from, to) => promises.link(from, to),
  rename: (from, to) => called<void>((done) => rename(from, to, done)),
  unlink: (path) => called<void>((done) => unlink(path, done)),
  mkdir: (path) => promises.mkdir(path),
  rmdir: (path) => promises.rmdir(path),
  readdir: (path) => patiently(() => called<FsName[]>((done) => readdir(path, { withFileTypes: true }, done))),
  lstat: (path) => called<FsStat>((done) => lstat(path, done)),
  realpath: (path) => promises.realpath(path),
}

// Half a minute in all for others to close something: every one of them ends by itself, however slow and crowded the machine. Unequal waits, lest those who
// wait come back together.
const patience = [10, 20, 40, 80, 160, 320, 640, ...Array.from({ length: 29 }, (_, turn) => 800 + ((turn * 397) % 400))]

/** Tries again while the process or the machine has too many files open. */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (const wait of patience) {
    try {
      return await open()
    } catch (error) {
      if (!hasCode(error, 'EMFILE', 'ENFILE')) throw error
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
  return open()
}

/** True for a system error with one of these codes (`ENOENT`, ...). */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error) ?? '')
}

/** The code of a system error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
