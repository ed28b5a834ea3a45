// How the main job is told: a table that is printed line by line, as things happen.

const { isTTY } = process.stdout
const coloured = isTTY ? !process.env.NO_COLOR : process.env.FORCE_COLOR === '1'
const paint = (code) => (text) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)

const columns = [
  { title: 'ARTIFACT', width: 11 },
  { title: 'VERSION', width: 7 },
  { title: 'KIND', width: 14 },
  { title: 'CONTENT', width: 24 },
  { title: 'EDITED', width: 16 },
  { title: 'SIZE', width: 7, right: true },
  { title: 'STORED', width: 7, right: true },
  { title: 'TIME', width: 7, right: true },
  { title: 'SAME', width: 4 },
]

const changeColumns = [
  { title: 'VERSION', width: 7 },
  { title: 'EDITED', width: 19 },
  { title: 'WRITTEN', width: 8, right: true },
  { title: 'TIME', width: 7, right: true },
  { title: 'WHOLE', width: 8, right: true },
  { title: 'TIME', width: 7, right: true },
  { title: 'SAVED', width: 9, right: true },
  { title: 'SAME', width: 4 },
]

export function heading() {
  line(dim(cells(columns.map(({ title }) => title)).join('  ')))
}

export function changesHeading() {
  line(
    dim(
      cells(
        changeColumns.map(({ title }) => title),
        changeColumns,
      ).join('  '),
    ),
  )
}

export function change({ version, what, written, ms, whole, wholeMs, equal }) {
  const saved = what ? `${count(Math.round(whole / written))} times` : ''
  const texts = [version, what, bytes(written), duration(ms), bytes(whole), duration(wholeMs), saved]
  line([...cells(texts, changeColumns), equal ? green('✓') : red('✗')].join('  '))
}

export function row({ name, version, kind, content, what, size, stored, ms, equal }) {
  const [first, ...rest] = cells([name, version, kind, content, what, bytes(size), bytes(stored), duration(ms)])
  line([bold(first), ...rest, equal ? green('✓') : red('✗')].join('  '))
}

export function total({ versions, size, stored }, ms) {
  const texts = cells(['total', count(versions), '', '', '', bytes(size), bytes(stored), duration(ms)])
  line(dim('-'.repeat(columns.reduce((sum, { width }) => sum + width + 2, -2))))
  line(texts.join('  '))
}

export function line(text = '') {
  console.log(text)
}

export function bytes(size) {
  const units = ['B', 'kB', 'MB', 'GB']
  const unit = size < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3))
  const value = size / 1000 ** unit
  return `${value.toFixed(unit > 0 && value < 100 ? 1 : 0)} ${units[unit]}`
}

export function count(number) {
  return number.toLocaleString('en-US')
}

function duration(ms) {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function cells(texts, of = columns) {
  return texts.map((text, i) => (of[i].right ? text.padStart(of[i].width) : text.padEnd(of[i].width)))
}
