import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/cli/arguments.ts'
import type { Command } from '../../src/cli/command.ts'

const put: Command = {
  name: 'put',
  summary: 'store',
  operands: { usage: 'NAME PATH...', least: 2, most: 3 },
  about: [],
  options: {
    alias: { type: 'text', about: '' },
    version: { type: 'text', about: '' },
    rule: { type: 'text', choices: ['fail', 'preserve'], about: '' },
    'dry-run': { type: 'flag', about: '' },
  },
  examples: [],
  run: async () => undefined,
}
const list: Command = { ...put, name: 'ls', operands: { usage: '', least: 0, most: 0 }, options: {} }

function parse(...args: string[]) {
  return parseArguments(args, [put, list])
}

function valuesOf(...args: string[]) {
  const request = parse(...args)
  if (request.kind !== 'run') throw new Error(`expected a command, not ${request.kind}`)
  return request.values
}

describe('arguments', () => {
  test('options stand anywhere, before the command too', () => {
    const values = valuesOf('--store', 'put', 'put', 'a', '--alias=x', 'b', '--alias', 'y', '--json', '--dry-run')
    expect(values.operands).toEqual(['a', 'b'])
    expect(values.text('store')).toBe('put')
    expect(values.texts('alias')).toEqual(['x', 'y'])
    expect(values.text('alias')).toBe('y')
    expect(values.flag('json')).toBe(true)
    expect(values.flag('dry-run')).toBe(true)
    expect(values.text('rule')).toBeUndefined()
  })

  test('after -- everything is an operand', () => {
    expect(valuesOf('put', 'a', '--', '--alias').operands).toEqual(['a', '--alias'])
  })

  test('--version is the program without a command, and an option of put', () => {
    expect(parse('--version')).toEqual({ kind: 'version' })
    expect(parse('-V')).toEqual({ kind: 'version' })
    expect(parse('ls', '--version')).toEqual({ kind: 'version' })
    expect(valuesOf('put', 'a', 'b', '--version', '2.0.0').text('version')).toBe('2.0.0')
  })

  test('help, in every way it is asked for', () => {
    for (const args of [[], ['--help'], ['-h'], ['help'], ['--json']]) expect(parse(...args)).toEqual({ kind: 'help' })
    for (const args of [
      ['put', '--help'],
      ['help', 'put'],
      ['put', '-h'],
      ['-h', 'put'],
    ])
      expect(parse(...args)).toEqual({ kind: 'help', command: put })
  })

  test.each([
    ['a command that is misspelt', ['putt', 'a', 'b'], 'unknown-command', 'Did you mean put?'],
    ['a command that is nothing like one', ['frobnicate'], 'unknown-command', 'There are: put, ls.'],
    ['a command in help', ['help', 'lss'], 'unknown-command', 'Did you mean ls?'],
    ['an option that is misspelt', ['put', 'a', 'b', '--alais', 'x'], 'unknown-option', 'Did you mean --alias?'],
    ['an option of another command', ['ls', '--dry-run'], 'unknown-option', 'tidemark ls --help'],
    ['an option before the command', ['--sotre', 'x'], 'unknown-option', 'Did you mean --store?'],
    ['a short option', ['put', 'a', 'b', '-x'], 'unknown-option', '-x'],
    ['an inherited name', ['put', 'a', 'b', '--constructor'], 'unknown-option', '--constructor'],
    ['no value', ['put', 'a', 'b', '--alias'], 'invalid-option', '--alias needs a value'],
    ['an option for a value', ['put', 'a', 'b', '--alias', '--json'], 'invalid-option', '--alias=VALUE'],
    ['a value for a flag', ['put', 'a', 'b', '--dry-run=no'], 'invalid-option', 'takes no value'],
    ['none of the choices', ['put', 'a', 'b', '--rule', 'maybe'], 'invalid-option', 'fail, preserve'],
    ['too little', ['put', 'a'], 'operand-missing', 'tidemark put NAME PATH...'],
    ['too much', ['put', 'a', 'b', 'c', 'd'], 'too-many-operands', 'tidemark put NAME PATH...'],
  ])('refuse %s', (_, args, code, message) => {
    const refused = expect.objectContaining({ code, message: expect.stringContaining(message) })
    expect(() => parse(...args)).toThrow(refused)
  })
})
