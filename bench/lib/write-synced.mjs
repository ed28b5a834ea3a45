import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

/** Writes pieces to a new file and waits until the disk has them: what a floor pays for keeping its result. */
export function writeSynced(path, ...pieces) {
  const file = openSync(path, 'w')
  for (const piece of pieces) {
    for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done)
  }
  fsyncSync(file)
  closeSync(file)
}
