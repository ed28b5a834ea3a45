import { arrays, connect } from 'tidemark'
import { indexedDbStore } from 'tidemark/stores/indexeddb'
import { counted, noteCost } from './costs.js'
import { drawMap, legend } from './map.js'
import { Model, measures, prepare, species } from './model.js'
import { keepOffline } from './offline.js'
import { element, showArtifacts } from './panel.js'

const find = (id) => document.querySelector(`#${id}`)
const [status, score, train, log, rate] = ['status', 'score', 'train', 'log', 'rate'].map(find)
const [canvas, body] = [find('map'), find('rows').tBodies[0]]
const rowsShown = 12

// Whatever keeps this page from starting is told: no network, or a browser that may store nothing.
addEventListener('error', ({ message }) => tell(message))
addEventListener('unhandledrejection', ({ reason }) => tell(reason.message))

const penguins = prepare(await (await fetch('../../node_modules/vega-datasets/data/penguins.json')).json())
const model = new Model(penguins)

// The table that is watched: an array of records, edited where it is.
const rows = penguins.known.map((one, id) => ({
  id,
  length: one[measures[0]],
  depth: one[measures[1]],
  flipper: one[measures[2]],
  mass: one[measures[3]],
  species: one.Species,
  predicted: '',
  sure: null,
}))

const tidemark = await connect({ store: counted(indexedDbStore('penguins')), project: 'penguins' })
await restore()

const experiment = await tidemark.createExperiment()
await logged('settings', { measures, species, rate: Number(rate.value) })
const watched = await experiment.registerArtifact('predictions', rows, { key: 'id', interval: 500 })
// The first version was made meanwhile.
if (watched.latest) noteCost(watched.latest)
watched.addEventListener('version', async ({ logged }) => {
  noteCost(logged)
  await showArtifacts(tidemark)
  tell(`predictions v${logged.index} is kept.`)
})
watched.addEventListener('error', ({ error }) => tell(error.message))
await watched.flush()

find('legend').replaceChildren(...legend())
show()
await showArtifacts(tidemark)
tell('Everything is kept in this browser.')
train.disabled = log.disabled = false

train.onclick = () =>
  busy(async () => {
    const examples = rows.map((row) => ({ values: valuesOf(row), label: species.indexOf(row.species) }))
    for (let i = 0; i < 20; i++) model.step(examples, Number(rate.value))
    predictAll()
    show()
    await watched.flush()
  })

log.onclick = () =>
  busy(async () => {
    await logged('map', canvas)
    await logged('weights', arrays({ weights: model.weights, mean: model.mean, spread: model.spread }))
    await logged('settings', { measures, species, rate: Number(rate.value), steps: model.steps })
    await showArtifacts(tidemark)
    tell('The picture, the weights and the settings are kept.')
  })

keepOffline().catch(({ message }) =>
  tell(`Kept in this browser; but this page itself, for when there is no network, is not: ${message}`),
)

/** Logs a value, and notes what it cost: the predictions first, so that the two are told apart. */
async function logged(name, value) {
  const version = await experiment.uploadArtifact(name, value)
  noteCost(version)
}

/** Goes on with the weights that were logged last, in this or an earlier visit. */
async function restore() {
  for await (const { name } of tidemark.getArtifacts()) {
    if (name !== 'weights') continue
    const { weights } = await (await tidemark.getArtifact('weights')).get()
    model.weights.set(weights.data)
    predictAll()
  }
}

function predictAll() {
  for (const row of rows) {
    const chances = model.predict(valuesOf(row))
    row.sure = Math.round(Math.max(...chances) * 1000) / 1000
    row.predicted = species[chances.indexOf(Math.max(...chances))]
  }
}

function valuesOf({ length, depth, flipper, mass }) {
  return [length, depth, flipper, mass]
}

function show() {
  drawMap(canvas, model, rows)
  const right = rows.filter((row) => row.predicted === row.species).length
  score.textContent = rows[0].predicted === '' ? 'not trained' : `${((100 * right) / rows.length).toFixed(1)} % right`
  body.replaceChildren(
    ...rows
      .filter(({ id }) => id % 28 === 0)
      .slice(0, rowsShown)
      .map(rowOf),
  )
}

function rowOf(row) {
  const choice = element(
    'select',
    { ariaLabel: `Species of penguin ${row.id}` },
    ...species.map((name) => element('option', { selected: name === row.species }, name)),
  )
  choice.onchange = () => {
    // Nothing more to do: the table is watched.
    row.species = choice.value
    drawMap(canvas, model, rows)
  }
  return element(
    'tr',
    { className: row.predicted !== '' && row.predicted !== row.species ? 'wrong' : '' },
    element('th', { scope: 'row' }, `#${row.id}`),
    element('td', {}, choice),
    element('td', {}, row.predicted || '–'),
    element('td', { className: 'number' }, row.sure === null ? '–' : `${Math.round(row.sure * 100)} %`),
  )
}

/** One at a time. The buttons are not disabled meanwhile: they would lose the focus of who uses the keyboard. */
async function busy(task) {
  if (train.ariaDisabled === 'true') return
  train.ariaDisabled = log.ariaDisabled = 'true'
  try {
    await task()
  } finally {
    train.ariaDisabled = log.ariaDisabled = 'false'
  }
}

function tell(text) {
  status.textContent = text
}
