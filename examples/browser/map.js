import { species } from './model.js'

const colours = ['#e07a3f', '#8b5cf6', '#0d9488']

/** Draws what the model takes for which species, over beak length and depth, with the penguins on it. */
export function drawMap(canvas, model, rows) {
  const context = canvas.getContext('2d')
  const { width, height } = canvas
  const [left, right, bottom, top] = [30, 62, 12, 23]
  const cell = 8
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
      context.globalAlpha = 1
      context.fillStyle = '#ffffff'
      context.fillRect(x, y, cell, cell)
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
    context.lineWidth = row.predicted === row.species || row.predicted === '' ? 1 : 3
    context.strokeStyle = row.predicted === row.species || row.predicted === '' ? '#ffffff' : '#111827'
    context.stroke()
  }
}

/** One entry for each species. */
export function legend() {
  return species.map((name, i) => {
    const entry = document.createElement('span')
    entry.className = `species species-${i}`
    entry.textContent = name
    return entry
  })
}
