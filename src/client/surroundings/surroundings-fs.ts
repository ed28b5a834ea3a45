import { readFile, stat } from 'node:fs/promises'
import os from 'node:os'
import { basename, isAbsolute, join, relative } from 'node:path'
import process from 'node:process'
import { isPermitted } from '../../platform/process.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import type { Surroundings } from '../surroundings.ts'
import { captureStream } from './capture-fs.ts'
import { gitFacts } from './git-fs.ts'

// A script, not a bundle of everything.
const longestCode = 1024 * 1024

// As many as a person may have named; each is one small file to read.
const mostPackages = 300

/** Node, Deno and Bun. What Deno was not permitted to tell is left out, and it is not asked: the person in front of it would be. */
export const processSurroundings: Surroundings = {
  async code() {
    const script = process.argv[1]
    if (script === undefined || !isPermitted({ name: 'read', path: script })) return undefined
    const { size, file } = await fileAt(script)
    return file && size <= longestCode ? readFile(script, 'utf8') : undefined
  },
  git: () => gitFacts(process.cwd()),
  async system() {
    const packages = await installedPackages()
    const facts: [string, JsonValue | undefined][] = [
      ['command', commandLine()],
      ['executable', whenPermitted({ name: 'read' }, () => process.execPath)],
      ['hostname', whenPermitted({ name: 'sys', kind: 'hostname' }, os.hostname)],
      ['installedPackages', packages.length > 0 ? packages : undefined],
      ['os', whenPermitted({ name: 'sys', kind: 'osRelease' }, () => `${os.type()} ${os.release()} ${os.version()}`)],
      ['osType', os.type()],
      ['pid', process.pid],
      ['user', whenPermitted({ name: 'sys', kind: 'userInfo' }, () => os.userInfo().username)],
      ['totalRam', whenPermitted({ name: 'sys', kind: 'systemMemoryInfo' }, os.totalmem)],
      [
        'logAdditionalSystemInfoList',
        [
          { key: 'runtime', value: runtimeName() },
          { key: 'architecture', value: os.arch() },
        ],
      ],
    ]
    return Object.fromEntries(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
  },
  capture: captureStream,
}

function whenPermitted<Fact>(permission: Parameters<typeof isPermitted>[0], ask: () => Fact): Fact | undefined {
  return isPermitted(permission) ? ask() : undefined
}

/** The script as it is named from the current folder, or by its name alone: whose folders it lies in is nobody's business. */
function commandLine(): string[] | undefined {
  const [, script, ...args] = process.argv
  if (script === undefined) return undefined
  if (!isPermitted({ name: 'read' })) return [basename(script), ...args]
  const path = relative(process.cwd(), script)
  return [path.startsWith('..') || isAbsolute(path) ? basename(script) : path, ...args]
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions
  if (deno !== undefined) return `deno ${deno}`
  return bun === undefined ? `node ${node}` : `bun ${bun}`
}

/** What the project in the current folder names as its dependencies, as far as they are installed. */
async function installedPackages(): Promise<string[]> {
  if (!isPermitted({ name: 'read', path: 'package.json' }) || !isPermitted({ name: 'read', path: 'node_modules' }))
    return []
  const names = Object.keys(objectIn(await readJson('package.json'), 'dependencies')).slice(0, mostPackages)
  const found = await Promise.all(
    names.map(async (name) => {
      const version: unknown = Reflect.get(await readJson(join('node_modules', name, 'package.json')), 'version')
      return typeof version === 'string' ? `${name}@${version}` : undefined
    }),
  )
  return found.filter((one) => one !== undefined).sort()
}

async function readJson(path: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    // Not there, or not for us: then nothing is known of it, which is what is said.
    return {}
  }
}

function objectIn(value: object, field: string): object {
  const inner: unknown = Reflect.get(value, field)
  return typeof inner === 'object' && inner !== null ? inner : {}
}

async function fileAt(path: string): Promise<{ size: number; file: boolean }> {
  try {
    const found = await stat(path)
    return { size: found.size, file: found.isFile() }
  } catch {
    // A program that was not read from a file.
    return { size: 0, file: false }
  }
}
