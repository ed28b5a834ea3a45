import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import type { Shape } from '../shape.ts'
import { numberOf, refuse, textOf } from './run-fields.ts'
import type { Line, RunAsset } from './run-state.ts'

export function lineToJson({ offset, text, stderr, context, timestamp }: Line): readonly JsonValue[] {
  return [offset, text, stderr, context, timestamp]
}

export function lineFromJson(json: readonly JsonValue[], shape: Shape): Line {
  const [offset, text, stderr, context, timestamp] = json
  if (typeof offset !== 'number' || typeof text !== 'string') return refuse(shape)
  return {
    offset,
    text,
    stderr: stderr === true,
    context: textOf(context) ?? null,
    timestamp: numberOf(timestamp),
  }
}

export function assetToJson(asset: RunAsset): Metadata {
  return { ...asset }
}

export function assetFromJson(json: { readonly [key: string]: JsonValue }, shape: Shape): RunAsset {
  const text = (field: string) => textOf(json[field]) ?? refuse(shape)
  const { pieces } = json
  return {
    id: text('id'),
    fileName: text('fileName'),
    type: text('type'),
    size: numberOf(json.size) ?? refuse(shape),
    metadata: textOf(json.metadata) ?? null,
    link: textOf(json.link) ?? null,
    mediaType: text('mediaType'),
    step: numberOf(json.step),
    epoch: numberOf(json.epoch),
    context: textOf(json.context) ?? null,
    source: textOf(json.source) ?? null,
    ...(typeof json.grouping === 'string' && { grouping: json.grouping }),
    createdAt: numberOf(json.createdAt) ?? refuse(shape),
    file: text('file'),
    pieces: Array.isArray(pieces) ? pieces.map((piece) => textOf(piece) ?? refuse(shape)) : refuse(shape),
  }
}
