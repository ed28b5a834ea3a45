import { relative, resolve } from 'node:path'
import { ConflictError, InvalidInputError, isTidemarkError, type LoggedArtifact } from '../index.ts'
import { checkLogicalPath } from '../paths.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { formatBytes, formatDuration, formatNumber } from './human.ts'
import { versionFacts, versionTitle } from './version-facts.ts'

const overwriteRules = ['fail', 'preserve', 'overwrite'] as const

export const get: Command = {
  name: 'get',
  summary: 'write the files of a version into a folder',
  operands: { usage: 'NAME[:VERSION] [DIR]', least: 1, most: 2 },
  about: [
    'DIR is made when it is not there; without one it is a folder here with the name of the artifact. Every byte is verified, and nothing\n' +
      'appears before all of it is complete. Files that are there already and equal are left alone.',
  ],
  options: {
    overwrite: {
      type: 'text',
      value: 'RULE',
      choices: overwriteRules,
      about: 'for a file that is there and differs: fail (the default), preserve it, or overwrite it',
    },
    path: { type: 'text', value: 'PREFIX', about: 'only the asset at this path, or those below this folder' },
  },
  examples: [
    'tidemark get flowers',
    'tidemark get flowers:golden ./data',
    'tidemark get flowers:v0 ./old --path photos',
  ],
  run: runGet,
}

async function runGet({ values, out, signal, onProgress, connect }: Context): Promise<undefined> {
  const began = performance.now()
  const [name, dir] = values.operands
  const tidemark = await connect()
  const version = await tidemark.getArtifact(name, { signal })
  const target = resolve(dir ?? defaultFolder(version))
  const pathPrefix = values.text('path')
  const report = await version
    .download(target, {
      overwrite: overwriteRules.find((rule) => rule === values.text('overwrite')),
      ...(pathPrefix !== undefined && { pathPrefix }),
      onProgress,
      signal,
    })
    .catch((error: unknown) => {
      throw isTidemarkError(error) && error.code === 'file-exists' ? fileExists(error) : error
    })
  const { written, kept, remote, bytes } = report
  const ms = performance.now() - began
  if (out.json) {
    out.document({ ...versionFacts(version), folder: target, written, kept, remote, bytes, ms: Math.round(ms) })
    return undefined
  }
  const { style } = out
  const there = kept.length > 0 ? `, ${formatNumber(kept.length, 'file')} there already` : ''
  out.line(
    `${style.green('Wrote')} ${style.bold(versionTitle(version))} to ${shown(target)}: ${formatNumber(written.length, 'file')}, ${formatBytes(bytes)}${there}, ${formatDuration(ms)}`,
  )
  if (remote.length > 0)
    out.line(
      `${formatNumber(remote.length, 'remote asset')} only linked: see tidemark ls ${version.name}:v${version.index}`,
    )
  return undefined
}

// What the download says, with the option as it is written here.
function fileExists({ message, code, fields, cause }: ConflictError): ConflictError {
  const way = 'Get it into another folder, or pass --overwrite overwrite or --overwrite preserve.'
  return new ConflictError(message.replace(/Download to another folder.*$/, way), { code, fields, cause })
}

/** A name may be anything but `/` and `:`; a folder may not. */
function defaultFolder({ name }: LoggedArtifact): string {
  try {
    return checkLogicalPath(name)
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    throw new InvalidInputError(
      `A folder cannot be called '${name}' everywhere. Say where to: tidemark get '${name}' DIR`,
      {
        code: 'operand-missing',
        cause: error,
      },
    )
  }
}

function shown(target: string): string {
  const path = relative(process.cwd(), target)
  return path === '' ? '.' : printable(path.startsWith('..') ? target : path)
}
