import { parseArgs } from 'node:util'
import { InvalidInputError } from '../index.ts'
import { nearest } from '../options.ts'
import { type Command, globalOptions, type Options } from './command.ts'
import { Values } from './values.ts'

/** What a command line asks for: a command with its values, help, or the version of the program. */
export type Request =
  | { readonly kind: 'run'; readonly command: Command; readonly values: Values }
  | { readonly kind: 'help'; readonly command?: Command }
  | { readonly kind: 'version' }

const programVersion: Options = { version: { type: 'flag', short: 'V', about: 'print the version of tidemark' } }

/** Options may stand before and after the command, and operands between them; after `--` all are operands. */
export function parseArguments(args: readonly string[], commands: readonly Command[]): Request {
  const at = commandAt(args)
  if (at === -1) {
    const values = parse(args, { ...globalOptions, ...programVersion }, 'tidemark')
    return values.flag('version') && !values.flag('help') ? { kind: 'version' } : { kind: 'help' }
  }
  const name = args[at]
  const rest = [...args.slice(0, at), ...args.slice(at + 1)]
  if (name === 'help') return { kind: 'help', ...(rest.length > 0 && { command: findCommand(rest[0], commands) }) }
  const before = at > 0 ? args[at - 1] : ''
  // What follows a misspelt option is not a misspelt command.
  if (before.startsWith('--') && !before.includes('=') && !commands.some((one) => one.name === name))
    parse(args.slice(0, at), { ...globalOptions, ...programVersion }, 'tidemark')
  const command = findCommand(name, commands)
  const values = parse(rest, { ...programVersion, ...globalOptions, ...command.options }, `tidemark ${name}`)
  if (values.flag('help')) return { kind: 'help', command }
  if (values.flag('version')) return { kind: 'version' }
  checkOperands(command, values.operands.length)
  return { kind: 'run', command, values }
}

/** True when the command line asks for JSON, also where it is wrong otherwise: the error is to be JSON then. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end === -1 ? args : args.slice(0, end)).includes('--json')
}

/** The first argument that is neither an option nor the value of one. */
function commandAt(args: readonly string[]): number {
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith('-')) return i
    if (args[i] === '--') return -1
    const option = args[i].slice(2)
    if (Object.hasOwn(globalOptions, option) && globalOptions[option].type === 'text') i++
  }
  return -1
}

function findCommand(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name)
  if (found) return found
  const names = commands.map((command) => command.name)
  const [near] = nearest(name, names)
  throw new InvalidInputError(
    `There is no command '${name}'. ${near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}. See tidemark --help.`}`,
    { code: 'unknown-command', fields: { command: name } },
  )
}

function parse(args: readonly string[], options: Options, what: string): Values {
  const declared = Object.entries(options).map(([name, { type, short }]) => {
    const kind: 'string' | 'boolean' = type === 'text' ? 'string' : 'boolean'
    return [name, { type: kind, multiple: true, ...(short !== undefined && { short }) }] as const
  })
  // Not strict: the errors are ours, and name what was meant.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(declared),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const operands: string[] = []
  const texts = new Map<string, string[]>()
  const flags = new Set<string>()
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    if (!Object.hasOwn(options, name)) throw unknownOption(rawName, name, options, what)
    const { type, choices } = options[name]
    if (type === 'flag') {
      if (value !== undefined) throw invalid(`${rawName} takes no value. Leave out ${JSON.stringify(value)}.`, name)
      flags.add(name)
      continue
    }
    if (value === undefined || (!inlineValue && value.startsWith('-') && value !== '-'))
      throw invalid(`${rawName} needs a value. One that begins with a dash is written ${rawName}=VALUE.`, name)
    if (choices && !choices.includes(value))
      throw invalid(`${rawName} is one of ${choices.join(', ')}, not ${JSON.stringify(value)}.`, name)
    texts.set(name, [...(texts.get(name) ?? []), value])
  }
  return new Values(operands, texts, flags)
}

function unknownOption(raw: string, name: string, options: Options, what: string): InvalidInputError {
  const [near] = nearest(name, Object.keys(options))
  return new InvalidInputError(
    `${what} has no option ${raw}. ${near ? `Did you mean --${near}?` : `See ${what} --help.`}`,
    {
      code: 'unknown-option',
      fields: { option: raw },
    },
  )
}

function invalid(message: string, option: string): InvalidInputError {
  return new InvalidInputError(message, { code: 'invalid-option', fields: { option } })
}

function checkOperands({ name, operands: { usage, least, most } }: Command, given: number): void {
  if (given >= least && given <= most) return
  const wrong = given < least ? 'Something is missing' : 'That is too much'
  throw new InvalidInputError(`${wrong}. Usage: tidemark ${name} ${usage} (more in tidemark ${name} --help)`, {
    code: given < least ? 'operand-missing' : 'too-many-operands',
  })
}
