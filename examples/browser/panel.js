import { costOf } from './costs.js'

const dialog = document.querySelector('#preview')
const list = document.querySelector('#artifacts')

/** Lists every artifact with its versions, newest first. What was open stays open. */
export async function showArtifacts(tidemark) {
  const open = new Set(Array.from(list.querySelectorAll('details[open]'), ({ dataset }) => dataset.name))
  const first = list.querySelector('details') === null
  const panels = []
  for await (const { name } of tidemark.getArtifacts()) {
    const versions = []
    for await (const version of tidemark.getVersions(name)) versions.push(version)
    versions.sort((a, b) => b.index - a.index)
    panels.push(panelOf(name, versions, open.has(name) || (first && name === 'predictions')))
  }
  if (panels.length > 0) {
    // The button that has the focus is made anew.
    const focused = list.contains(document.activeElement) ? document.activeElement.ariaLabel : null
    list.replaceChildren(...panels)
    if (focused) list.querySelector(`[aria-label="${focused}"]`)?.focus()
  }
  const bytes = panels.length === 0 ? undefined : (await navigator.storage?.estimate?.())?.usage
  document.querySelector('#usage').textContent =
    bytes === undefined ? '' : `${size(bytes)} on your disk, with a copy of this page for when there is no network.`
}

function panelOf(name, versions, open) {
  const details = element('details', { open })
  details.dataset.name = name
  details.append(
    element(
      'summary',
      {},
      element('strong', {}, name),
      ` ${versions.length} ${versions.length === 1 ? 'version' : 'versions'}`,
    ),
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...['Version', 'When', 'Size', 'Cost', ''].map((text) =>
            element('th', { scope: 'col', className: text === 'Size' || text === 'Cost' ? 'number' : '' }, text),
          ),
        ),
      ),
      element('tbody', {}, ...versions.map(rowOf)),
    ),
  )
  return details
}

function rowOf(version) {
  const cost = costOf(version)
  const label = `${version.name} ${version.version}`
  const look = element('button', { type: 'button', ariaLabel: `Preview ${label}` }, 'Preview')
  look.onclick = () => showPreview(version)
  const save = element('button', { type: 'button', ariaLabel: `Download ${label}` }, 'Download')
  save.onclick = () => download(version)
  const aliases = version.aliases.map((alias) => element('span', { className: 'alias' }, alias))
  return element(
    'tr',
    {},
    element('td', {}, `v${version.index} `, ...aliases),
    element('td', {}, when(version.createdAt)),
    element('td', { className: 'number' }, size(version.size)),
    element('td', { className: 'number cost' }, cost === undefined ? '–' : size(cost)),
    element('td', { className: 'actions' }, look, save),
  )
}

/** The time of today's, the day of others. */
function when(date) {
  const today = date.toDateString() === new Date().toDateString()
  return element(
    'time',
    { dateTime: date.toISOString() },
    today ? date.toLocaleTimeString() : date.toLocaleDateString(),
  )
}

async function showPreview(version) {
  const asset = await version.getAsset()
  const preview = await asset.preview()
  document.querySelector('#preview-title').textContent = `${asset.logicalPath} · v${version.index}`
  document.querySelector('#preview-body').replaceChildren(await previewOf(asset, preview))
  dialog.showModal()
}

async function previewOf(asset, preview) {
  switch (preview?.kind) {
    case 'table':
      return tableOf(
        preview.columns.map(({ name, type }) => `${name} ${type}`),
        preview.head,
      )
    case 'npz':
      return tableOf(
        ['array', 'type', 'shape', 'min', 'max', 'mean'],
        preview.arrays.map(({ name, dtype, shape, min, max, mean }) => [
          name,
          dtype,
          shape.join(' × '),
          ...[min, max, mean].map((value) => Number(value.toFixed(3))),
        ]),
      )
    case 'png':
      // It has a thumbnail for lists; here there is room for the picture.
      return element('img', {
        src: URL.createObjectURL(await contentOf(asset)),
        alt: `${asset.logicalPath}, ${preview.width} × ${preview.height} pixels`,
        onload: ({ target }) => URL.revokeObjectURL(target.src),
      })
    default:
      return element('pre', {}, preview?.text ?? JSON.stringify(preview, null, 2))
  }
}

function tableOf(names, rows) {
  const head = element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)))
  const body = rows.map((row) =>
    element('tr', {}, ...row.map((cell) => element('td', {}, cell === null ? '' : String(cell)))),
  )
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body))
}

async function download(version) {
  const assets = await version.getAssets()
  const blob = assets.length === 1 ? await contentOf(assets[0]) : await version.toZip()
  const link = element('a', {
    href: URL.createObjectURL(blob),
    download: assets.length === 1 ? assets[0].logicalPath : `${version.name}.zip`,
  })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function contentOf(asset) {
  return new Blob([await new Response(await asset.open()).arrayBuffer()], { type: asset.mediaType })
}

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
