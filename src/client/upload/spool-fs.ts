import { mkdtemp, open, rm } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '../../errors.ts'
import { isPermitted } from '../../platform/process.ts'

// One piece on its way from the disk to the network.
const pieceBytes = 256 * 1024

/** Bytes laid down until they are sent: written once, read as often as it takes. */
export interface Spool {
  write(bytes: Uint8Array): Promise<void>
  read(): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

/** A temporary file that nobody else sees and that goes with this process; `undefined` where none may be made. */
export async function openSpool(): Promise<Spool | undefined> {
  if (!isPermitted({ name: 'env', variable: 'TMPDIR' })) return undefined
  const temporary = os.tmpdir()
  if (!isPermitted({ name: 'write', path: temporary }) || !isPermitted({ name: 'read', path: temporary }))
    return undefined
  return told(async () => {
    const folder = await mkdtemp(join(temporary, 'tidemark-'))
    const file = await open(join(folder, 'asset'), 'wx+', 0o600)
    // Without a name it goes with the last that holds it open. Windows keeps the name until then.
    const unnamed = process.platform !== 'win32'
    if (unnamed) await rm(folder, { recursive: true })
    let size = 0
    return {
      write: (bytes) =>
        told(async () => {
          for (let at = 0; at < bytes.length; ) {
            const { bytesWritten } = await file.write(bytes, at, bytes.length - at, size)
            at += bytesWritten
            size += bytesWritten
          }
        }),
      async *read() {
        for (let at = 0; at < size; ) {
          const piece = new Uint8Array(Math.min(pieceBytes, size - at))
          const from = at
          const { bytesRead } = await told(() => file.read(piece, 0, piece.length, from))
          if (bytesRead === 0) throw new UnavailableError('A temporary file lost its end.', { code: 'spool-damaged' })
          at += bytesRead
          yield piece.subarray(0, bytesRead)
        }
      },
      async close() {
        await file.close()
        if (!unnamed) await rm(folder, { recursive: true, force: true })
      },
    }
  })
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    const reason = full ? 'the disk is full' : cause instanceof Error ? cause.message : cause
    throw new UnavailableError(
      `A large asset could not be laid down in a temporary file until it is sent: ${reason}. Free some space, or set TMPDIR.`,
      { code: full ? 'disk-full' : 'spool-failed', cause },
    )
  }
}
