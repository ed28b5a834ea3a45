import { type Command, globalOptions, type Options } from './command.ts'
import type { Style } from './style.ts'

/** Help for the whole program. */
export function programHelp(commands: readonly Command[], style: Style): string {
  const usages = commands.map(({ name, operands }) => `${name} ${operands.usage}`)
  const width = Math.max(...usages.map((usage) => usage.length))
  return [
    'Versioned data for machine learning: tables, arrays, images, files and folders.',
    '',
    `${style.bold('Usage')}: tidemark COMMAND [OPTIONS]`,
    '',
    ...commands.map(({ summary }, i) => `  ${usages[i].padEnd(width)}  ${summary}`),
    '',
    `${style.bold('Options')} of every command:`,
    ...optionLines({ ...globalOptions, version: { type: 'flag', short: 'V', about: 'print the version of tidemark' } }),
    '',
    'A NAME is [WORKSPACE/]NAME; a version of it is NAME:v3, NAME:4.0.0 or NAME:ALIAS, and the latest without one.',
    'TIDEMARK_STORE or TIDEMARK_URL, TIDEMARK_API_KEY, TIDEMARK_WORKSPACE and TIDEMARK_PROJECT give defaults, as do ./.comet.yml and ~/.comet.yml.',
    '',
    'Exit codes: 0 done, 1 unexpected, 2 invalid input, 3 not found, 4 conflict, 5 no permission, 6 unavailable,',
    '7 damaged data, 8 unsupported, 130 interrupted.',
    '',
    'tidemark COMMAND --help says more.',
  ].join('\n')
}

/** Help for one command. */
export function commandHelp({ name, summary, operands, about, options, examples }: Command, style: Style): string {
  return [
    `${summary[0].toUpperCase()}${summary.slice(1)}.`,
    '',
    `${style.bold('Usage')}: tidemark ${name} ${operands.usage}${Object.keys(options).length > 0 ? ' [OPTIONS]' : ''}`,
    ...about.flatMap((paragraph) => ['', paragraph]),
    ...(Object.keys(options).length > 0 ? ['', style.bold('Options'), ...optionLines(options)] : []),
    '',
    `${style.bold('Options')} of every command`,
    ...optionLines(globalOptions),
    '',
    style.bold('Examples'),
    ...examples.map((example) => `  ${example}`),
  ].join('\n')
}

function optionLines(options: Options): string[] {
  const left = Object.entries(options).map(([name, { short, value, type }]) => {
    const long = `--${name}${type === 'text' ? ` ${value ?? 'VALUE'}` : ''}`
    return short === undefined ? `    ${long}` : `-${short}, ${long}`
  })
  const width = Math.max(...left.map((text) => text.length))
  return Object.values(options).map(({ about }, i) => `  ${left[i].padEnd(width)}  ${about}`)
}
