import { type FsHandle, type FsIo, nodeIo } from '../../src/stores/fs-io.ts'

/** Asked before each file system call: an error to fail with, or nothing. */
export type Fault = (call: string, path: string) => Error | undefined

/** The real file system, with calls that fail on demand. A call that fails has done nothing, but a failing close has closed. */
export function faultyIo(fault: Fault): FsIo {
  const check = (call: string, path: string): void => {
    const error = fault(call, path)
    if (error) throw error
  }
  const handleOf = (handle: FsHandle, path: string): FsHandle => ({
    async write(bytes, offset, length) {
      check('write', path)
      // Half of it, as a disk may do: the rest must follow.
      return handle.write(bytes, offset, Math.ceil(length / 2))
    },
    async read(into, offset, length, position) {
      check('read', path)
      return handle.read(into, offset, Math.ceil(length / 2), position)
    },
    async stat() {
      check('stat', path)
      return handle.stat()
    },
    async sync() {
      check('sync', path)
      return handle.sync()
    },
    async close() {
      await handle.close()
      check('close', path)
    },
  })
  return {
    async open(path, mode) {
      check(`open ${mode}`, path)
      return handleOf(await nodeIo.open(path, mode), path)
    },
    async link(from, to) {
      check('link', to)
      return nodeIo.link(from, to)
    },
    async rename(from, to) {
      check('rename', to)
      return nodeIo.rename(from, to)
    },
    async unlink(path) {
      check('unlink', path)
      return nodeIo.unlink(path)
    },
    async mkdir(path) {
      check('mkdir', path)
      return nodeIo.mkdir(path)
    },
    async rmdir(path) {
      check('rmdir', path)
      return nodeIo.rmdir(path)
    },
    async readdir(path) {
      check('readdir', path)
      return nodeIo.readdir(path)
    },
    async lstat(path) {
      check('lstat', path)
      return nodeIo.lstat(path)
    },
    async realpath(path) {
      check('realpath', path)
      return nodeIo.realpath(path)
    },
  }
}

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** A file system without hard links, like exFAT. */
export const linkless: FsIo = faultyIo((call) => (call === 'link' ? systemError('EPERM') : undefined))
