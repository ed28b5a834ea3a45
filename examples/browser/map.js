import { species } from './model.js'

const colours = ['#e07a3f', '#8b5cf6', '#0d9488']
/** Of those that the model takes for something else: seen on light and on dark. */
const wrong = '#e11d48'

/** Draws what the model takes for which species, over beak length and depth, with the penguins on it. */
export function drawMap(canvas, model, rows) {
  const context = canvas.getContext('2d')
  const { width, height } = canvas
  const [left, right, bottom, top] = [30, 62, 12, 23]
  const cell = 8
  // What is behind it shows through: light or dark.
  context.clearRect(0, 0, width, height)
  for (let y = 0; y < height; y += cell) {
    for (let x = 0; x < width; x += cell) {
      const values = [
        left + ((right - left) * x) / width,
        top - ((top - bottom) * y) / height,
        model.mean[2],
        model.mean[3],
      ]
      const chances = model.predict(values)
      const best = chances.indexOf(Math.max(...chances))
      context.globalAlpha = Math.max(0, (chances[best] - 0.33) * 0.6)
      context.fillStyle = colours[best]
      context.fillRect(x, y, cell, cell)
    }
  }
  context.globalAlpha = 1
  for (const row of rows) {
    const x = ((row.length - left) / (right - left)) * width
    const y = ((top - row.depth) / (top - bottom)) * height
    context.beginPath()
    context.arc(x, y, 5, 0, 2 * Math.PI)
    context.fillStyle = colours[species.indexOf(row.species)]
    context.fill()
    const isWrong = row.predicted !== row.species && row.predicted !== ''
    context.lineWidth = isWrong ? 3 : 1
    context.strokeStyle = isWrong ? wrong : '#ffffff'
    context.stroke()
  }
}

/** One entry for each species, and one for what is taken for another. */
export function legend() {
  return [...species.map((name, i) => [name, `species-${i}`]), ['predicted wrong', 'missed']].map(([text, kind]) => {
    const entry = document.createElement('span')
    entry.className = `species ${kind}`
    entry.textContent = text
    return entry
  })
}
