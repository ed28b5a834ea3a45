import { type Experiment, file, InvalidInputError } from '../index.ts'
import type { Command, Context } from './command.ts'
import type { Values } from './values.ts'

export const log: Command = {
  name: 'log',
  summary: 'log metrics, parameters, others, tags and files to an experiment',
  operands: { usage: '[EXPERIMENT]', least: 0, most: 1 },
  about: [
    'EXPERIMENT is the key of one that is there; without it a new one begins. Its key is printed, for the next command line.',
    'Each option may be repeated.',
  ],
  options: {
    name: { type: 'text', value: 'NAME', about: 'name of a new experiment' },
    metric: { type: 'text', value: 'NAME=NUMBER', about: 'one value of a metric' },
    step: { type: 'text', value: 'NUMBER', about: 'step of these metrics' },
    epoch: { type: 'text', value: 'NUMBER', about: 'epoch of these metrics' },
    context: { type: 'text', value: 'NAME', about: 'context of these metrics, such as train' },
    parameter: { type: 'text', value: 'NAME=VALUE', about: 'parameter: JSON where it is JSON, else text' },
    other: { type: 'text', value: 'NAME=VALUE', about: 'anything else: JSON where it is JSON, else text' },
    tag: { type: 'text', value: 'TAG', about: 'tag of the experiment' },
    asset: { type: 'text', value: 'PATH', about: 'file that is stored with the experiment' },
    end: { type: 'flag', about: 'the experiment ends with this; a new one does so too' },
  },
  examples: [
    'tidemark log --metric loss=0.5 --metric accuracy=0.9 --step 3 --tag baseline',
    'tidemark log 0af3c2d1e9 --parameter lr=0.1 --asset history.csv --end',
  ],
  run: runLog,
}

async function runLog({ values, out, signal, connect }: Context): Promise<undefined> {
  const metrics = parsePairs(values, 'metric', numberOf)
  const parameters = parsePairs(values, 'parameter', jsonOrText)
  const others = parsePairs(values, 'other', jsonOrText)
  const [step, epoch] = [optionalNumber(values, 'step'), optionalNumber(values, 'epoch')]
  const context = values.text('context')
  const [key] = values.operands
  const tidemark = await connect({ create: key === undefined })
  const name = values.text('name')
  if (key !== undefined && name !== undefined)
    throw invalid('--name is for a new experiment. Rename one that is there with --other Name=NAME.', 'name')
  const experiment: Experiment =
    key === undefined
      ? await tidemark.createExperiment({
          ...(name !== undefined && { name }),
          keepActive: false,
          logCode: false,
          logSystemDetails: false,
          signal,
        })
      : await tidemark.getExperiment(key, { signal })
  const at = {
    ...(step !== undefined && { step }),
    ...(epoch !== undefined && { epoch }),
    ...(context !== undefined && { context }),
  }
  try {
    for (const [metric, value] of metrics) experiment.logMetric(metric, value, at)
    for (const [parameter, value] of parameters) experiment.logParameter(parameter, value)
    for (const [other, value] of others) experiment.logOther(other, value)
    experiment.addTags(values.texts('tag'))
    for (const path of values.texts('asset')) await experiment.uploadAsset(file(path), { signal })
    await experiment.flush({ signal })
  } catch (error) {
    // Its key was told to nobody.
    if (key === undefined) await experiment.delete().catch(() => undefined)
    throw error
  }
  if (values.flag('end') || key === undefined) await experiment.end()
  if (out.json) out.document({ experimentKey: experiment.key, name: experiment.name, url: experiment.url })
  else out.line(experiment.key)
  return undefined
}

function parsePairs<Value>(
  values: Values,
  option: string,
  parse: (text: string, option: string) => Value,
): (readonly [name: string, value: Value])[] {
  return values.texts(option).map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw invalid(`--${option} takes NAME=VALUE, not ${JSON.stringify(text)}.`, option)
    return [text.slice(0, at), parse(text.slice(at + 1), option)] as const
  })
}

function numberOf(text: string, option: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isNaN(number) || /^nan$/i.test(text.trim())) return number
  throw invalid(`--${option} takes a number, not ${JSON.stringify(text)}.`, option)
}

function optionalNumber(values: Values, option: string): number | undefined {
  const text = values.text(option)
  return text === undefined ? undefined : numberOf(text, option)
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // What is not JSON is meant as it stands.
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function invalid(message: string, option: string): InvalidInputError {
  return new InvalidInputError(message, { code: 'invalid-option', fields: { option } })
}
