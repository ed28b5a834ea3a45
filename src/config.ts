import { InvalidInputError, isTidemarkError } from './errors.ts'
import { describe } from './options.ts'
import { checkName } from './paths.ts'
import { hasFiles } from './platform/files.ts'
import { isPermitted, runtimeProcess } from './platform/process.ts'
import { serverUrl } from './server-url.ts'

/** What configuration can say. */
export interface Settings {
  readonly url?: string
  readonly apiKey?: string
  readonly workspace?: string
  readonly project?: string
  readonly store?: string
  readonly loggingFile?: string
  readonly loggingLevel?: string
}

/** A configuration file that was found: its name for messages, and its text. */
export interface ConfigFile {
  readonly name: string
  readonly text: string
  /** It lies with the project, and came with it: from whoever wrote that. */
  readonly ofProject?: boolean
}

export interface SettingsSources {
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What the program brings itself. */
  readonly given?: Readonly<Partial<Record<keyof Settings, unknown>>>
  /** In order of precedence. Default: `./.comet.yml`, then `~/.comet.yml`. */
  readonly files?: readonly ConfigFile[]
}

const own = {
  url: 'TIDEMARK_URL',
  apiKey: 'TIDEMARK_API_KEY',
  workspace: 'TIDEMARK_WORKSPACE',
  project: 'TIDEMARK_PROJECT',
  store: 'TIDEMARK_STORE',
} as const

const comet = {
  url: 'COMET_URL_OVERRIDE',
  apiKey: 'COMET_API_KEY',
  workspace: 'COMET_WORKSPACE',
  project: 'COMET_PROJECT_NAME',
  loggingFile: 'COMET_LOGGING_FILE',
  loggingLevel: 'COMET_LOGGING_FILE_LEVEL',
} as const

type Names = Partial<Record<keyof Settings, string>>
type Variables = Readonly<Record<string, string | undefined>>

/**
 * What is configured, the first source that says something winning, setting by setting: `TIDEMARK_*`, `COMET_*`, `./.comet.yml`,
 * `~/.comet.yml` (same names inside). An empty value counts as none. Where the data goes (`url` or `store`) is decided by the first source that names either;
 * `decided` says that the caller did.
 *
 * @throws InvalidInputError `config-invalid` for a file that is not YAML; `url-and-store` when one source names both; `key-for-project-url`
 */
export async function readSettings(decided: boolean, sources: SettingsSources = {}): Promise<Settings> {
  const env = sources.env ?? environment()
  const files = sources.files ?? (await configFiles())
  const given = sources.given ?? {}
  const layers: Layer[] = [own, comet].map((names) => ({ ...pick(env, names), names }))
  for (const file of files) {
    const from = await parseFile(file)
    for (const names of [own, comet]) layers.push({ ...pick(from, names), names, file })
  }
  for (const layer of layers) checkLogFile(layer)
  const place: Layer = decided ? {} : pickPlace(layers)
  const urlOfProject = place.url !== undefined && place.file?.ofProject === true
  if (urlOfProject) checkKeyOfProject(place, layers, given.apiKey !== undefined)
  const { file: _, names: __, ...settings }: Layer = Object.assign({}, ...layers.toReversed())
  const found = { ...settings, url: place.url, store: place.store }
  for (const { key, check } of checks) {
    const value = given[key] === undefined ? found[key] : undefined
    if (value !== undefined) checked(check, value, key, layers)
  }
  return found
}

/** What one source says. */
interface Layer extends Settings {
  readonly names?: Names
  readonly file?: ConfigFile
}

/** Checked here, where it is known who said it. */
const checks: readonly { readonly key: keyof Settings; readonly check: (value: string) => unknown }[] = [
  { key: 'workspace', check: (value) => checkName(value, 'workspace') },
  { key: 'project', check: (value) => checkName(value, 'project') },
  { key: 'url', check: serverUrl },
]

function checked(
  check: (value: string) => unknown,
  value: string,
  key: keyof Settings,
  layers: readonly Layer[],
): void {
  try {
    check(value)
  } catch (error) {
    const layer = layers.find((one) => one[key] !== undefined)
    if (!isTidemarkError(error) || !layer?.names) throw error
    const { message, code, fields, cause } = error
    const from = `It comes from ${layer.names[key]}${layer.file ? ` in ${layer.file.name}` : ''}.`
    throw new InvalidInputError(`${message} ${from}`, { code, fields, cause })
  }
}

/** A project that somebody else wrote may name a server; it does not get the key that lies in the environment, or at home, for another one. */
function checkKeyOfProject(place: Layer, layers: readonly Layer[], keyGiven: boolean): void {
  const key = layers.find(({ apiKey }) => apiKey !== undefined)
  if (!keyGiven && (key === undefined || key.file === place.file)) return
  throw new InvalidInputError(
    `./.comet.yml names a server, and the API key comes from elsewhere: a key is not sent where a project says. If you trust that server, name it yourself, with ${own.url} or connect({ url }).`,
    { code: 'key-for-project-url' },
  )
}

/** Nor does it choose a file anywhere on the disk that lines are added to. */
function checkLogFile({ loggingFile, file }: Layer): void {
  if (!file?.ofProject || loggingFile === undefined) return
  if (!/^([/\\~]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)/i.test(loggingFile)) return
  throw new InvalidInputError(
    `${file.name} names a log file outside of the project. Name it with ${comet.loggingFile} in your environment.`,
    { code: 'config-invalid', fields: { file: file.name } },
  )
}

function pickPlace(layers: readonly Layer[]): Layer {
  const first = layers.find(({ url, store }) => url !== undefined || store !== undefined) ?? {}
  if (first.url !== undefined && first.store !== undefined)
    throw new InvalidInputError(
      `${own.url} and ${own.store} are both set: data goes to a server or to a store, not both. Unset one.`,
      {
        code: 'url-and-store',
      },
    )
  return first
}

function pick(from: Variables, names: Names): Settings {
  const found: { [Key in (typeof settingKeys)[number]]?: string } = {}
  for (const key of settingKeys) {
    const name = names[key]
    // Around a value pasted into a shell or a file of variables there may be blanks, or the end of a line.
    const value = name !== undefined && Object.hasOwn(from, name) ? from[name]?.trim() : undefined
    if (value) found[key] = value
  }
  return found
}

const settingKeys = ['url', 'apiKey', 'workspace', 'project', 'store', 'loggingFile', 'loggingLevel'] as const

function environment(): Variables {
  const found: Record<string, string | undefined> = {}
  const env = runtimeProcess()?.env
  if (!env) return found
  for (const name of [...Object.values(own), ...Object.values(comet)])
    if (isPermitted({ name: 'env', variable: name })) found[name] = env[name]
  return found
}

async function configFiles(): Promise<readonly ConfigFile[]> {
  if (!hasFiles()) return []
  const { readConfigFiles } = await import('./config-fs.ts')
  return readConfigFiles()
}

async function parseFile({ name, text }: ConfigFile): Promise<Variables> {
  const { parseSettings } = await import('./yaml-fs.ts')
  const content = parseSettings(text, name)
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content)) throw notSettings(name, content)
  const known: ReadonlySet<string> = new Set([...Object.values(own), ...Object.values(comet)])
  const settings = Object.entries(content).filter(([key]) => known.has(key))
  return Object.fromEntries(settings.map(([key, value]) => [key, textOf(value, key, name)]))
}

function textOf(value: unknown, key: string, file: string): string | undefined {
  if (typeof value === 'string') return value
  if (value === null) return undefined
  throw new InvalidInputError(`${key} in ${file} must be one value, such as "${key}: team", not ${describe(value)}.`, {
    code: 'config-invalid',
    fields: { file, key },
  })
}

/** Text is not repeated: a key may stand in it. */
function notSettings(name: string, content: unknown): InvalidInputError {
  const what = typeof content === 'string' ? 'plain text' : describe(content)
  return new InvalidInputError(`${name} should hold lines such as "COMET_WORKSPACE: team", not ${what}.`, {
    code: 'config-invalid',
    fields: { file: name },
  })
}
