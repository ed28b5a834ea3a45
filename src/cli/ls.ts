import {
  type ArtifactSummary,
  InvalidInputError,
  type LoggedArtifact,
  type LoggedArtifactAsset,
  type Tidemark,
} from '../index.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { formatBytes, formatCount, formatNumber, formatTime } from './human.ts'
import type { Output } from './output.ts'
import type { Column } from './table.ts'
import { versionFacts, versionTitle } from './version-facts.ts'

// Latest versions asked for at a time: a server answers them side by side.
const together = 8

export const ls: Command = {
  name: 'ls',
  summary: 'list artifacts, the versions of one, or the assets of a version',
  operands: { usage: '[NAME[:VERSION]]', least: 0, most: 1 },
  about: [
    'Without a NAME: all artifacts. With one: its versions, newest first. With a version, such as flowers:v0 or flowers:latest: its assets.',
  ],
  options: { type: { type: 'text', value: 'TYPE', about: 'only artifacts of this type' } },
  examples: ['tidemark ls', 'tidemark ls flowers', 'tidemark ls flowers:latest --json'],
  run: runLs,
}

async function runLs(context: Context): Promise<undefined> {
  const { values, out, signal, connect } = context
  const tidemark = await connect()
  const [name] = values.operands
  if (name !== undefined && values.text('type') !== undefined)
    throw new InvalidInputError('--type chooses among all artifacts, and a NAME is given. Leave one out.', {
      code: 'invalid-option',
      fields: { option: 'type' },
    })
  if (name === undefined) await listArtifacts(tidemark, context)
  else if (name.includes(':')) await listAssets(await tidemark.getArtifact(name, { signal }), out, signal)
  else await listVersions(tidemark, name, out, signal)
  return undefined
}

async function listArtifacts(tidemark: Tidemark, { values, out, signal }: Context): Promise<void> {
  const type = values.text('type')
  const workspace = values.text('workspace')
  const artifacts = await tidemark
    .getArtifacts({ signal, ...(type !== undefined && { type }), ...(workspace !== undefined && { workspace }) })
    .toArray()
  const rows: { artifact: ArtifactSummary; latest: LoggedArtifact | undefined }[] = []
  for (let i = 0; i < artifacts.length; i += together) {
    const some = artifacts.slice(i, i + together)
    rows.push(...(await Promise.all(some.map((artifact) => withLatest(tidemark, artifact, signal)))))
  }
  if (out.json) {
    out.document(
      rows.map(({ artifact, latest }) => ({
        ...artifact,
        size: latest?.size ?? 0,
        latestVersion: latest?.version ?? null,
      })),
    )
    return
  }
  if (rows.length === 0 && type !== undefined) return out.line(`There are no artifacts of type '${printable(type)}'.`)
  if (rows.length === 0) return out.line('There are no artifacts yet. Make one: tidemark put NAME PATH')
  const workspaces = new Set(artifacts.map((artifact) => artifact.workspace))
  const { style } = out
  const columns: Column[] = [
    { title: 'NAME', shrink: true, style: style.bold },
    { title: 'TYPE' },
    { title: 'LATEST', style: style.cyan },
    { title: 'VERSIONS', align: 'right' },
    { title: 'ASSETS', align: 'right' },
    { title: 'SIZE', align: 'right' },
    { title: 'LOGGED' },
    { title: 'ALIASES', shrink: true, style: style.yellow },
  ]
  out.table(
    columns,
    rows.map(({ artifact, latest }) => [
      workspaces.size > 1 ? `${artifact.workspace}/${artifact.name}` : artifact.name,
      artifact.type,
      latest ? `v${latest.index} (${latest.version})` : '-',
      formatCount(artifact.versions),
      latest ? formatCount(latest.count) : '',
      latest ? formatBytes(latest.size) : '',
      latest ? formatTime(latest.createdAt) : '',
      Object.entries(artifact.aliases)
        .map(([alias, index]) => `${alias}=v${index}`)
        .join(' '),
    ]),
  )
}

async function withLatest(tidemark: Tidemark, artifact: ArtifactSummary, signal: AbortSignal) {
  const { workspace, name, latest: index } = artifact
  if (index === null) return { artifact, latest: undefined }
  return { artifact, latest: await tidemark.getArtifact(name, { workspace, versionOrAlias: `v${index}`, signal }) }
}

async function listVersions(tidemark: Tidemark, name: string, out: Output, signal: AbortSignal): Promise<void> {
  const versions = await tidemark.getVersions(name, { signal }).toArray()
  if (out.json) return out.document(versions.map(versionFacts))
  const { style } = out
  out.table(
    [
      { title: 'VERSION', style: style.cyan },
      { title: 'NUMBER' },
      { title: 'ASSETS', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'LOGGED' },
      { title: 'ALIASES', shrink: true, style: style.yellow },
      { title: 'TAGS', shrink: true },
    ],
    versions.map(({ index, version, count, size, createdAt, aliases, versionTags }) => [
      `v${index}`,
      version,
      formatCount(count),
      formatBytes(size),
      formatTime(createdAt),
      aliases.join(' '),
      versionTags.join(' '),
    ]),
  )
}

async function listAssets(version: LoggedArtifact, out: Output, signal: AbortSignal): Promise<void> {
  const assets = await version.getAssets({ signal })
  if (out.json) return out.document({ ...versionFacts(version), assets: assets.map(assetFacts) })
  const { style } = out
  out.line(
    `${style.bold(versionTitle(version))}: ${formatNumber(assets.length, 'asset')}, ${formatBytes(version.size)}`,
  )
  if (assets.length === 0) return
  out.table(
    [
      { title: 'PATH', shrink: true, style: style.bold },
      { title: 'KIND' },
      { title: 'SIZE', align: 'right' },
      { title: 'SHA-256', style: style.dim },
      { title: 'LINK', shrink: true, style: style.cyan },
    ],
    assets.map(({ logicalPath, type, remote, size, digest, link }) => [
      logicalPath,
      type,
      remote && size === 0 ? '-' : formatBytes(size),
      remote ? '' : (digest ?? '').slice(0, 12),
      link ?? '',
    ]),
  )
}

function assetFacts({ logicalPath, type, mediaType, size, digest, remote, link, metadata }: LoggedArtifactAsset) {
  return {
    path: logicalPath,
    type,
    mediaType,
    size,
    digest: digest ?? null,
    remote,
    link: link ?? null,
    metadata: metadata ?? null,
  }
}
