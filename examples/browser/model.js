// Softmax regression on four measures of a penguin: small, and a model all the same.

export const measures = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)']
export const species = ['Adelie', 'Chinstrap', 'Gentoo']

/** Penguins that were measured, with the mean and spread of each measure. */
export function prepare(penguins) {
  const known = penguins.filter((one) => measures.every((name) => typeof one[name] === 'number'))
  const mean = measures.map((name) => known.reduce((sum, one) => sum + one[name], 0) / known.length)
  const spread = measures.map((name, i) =>
    Math.sqrt(known.reduce((sum, one) => sum + (one[name] - mean[i]) ** 2, 0) / known.length),
  )
  return { known, mean, spread }
}

export class Model {
  /** One row for each species: a weight for each measure, and a bias. */
  weights = new Float32Array(species.length * (measures.length + 1))
  steps = 0

  constructor({ mean, spread }) {
    this.mean = mean
    this.spread = spread
  }

  /** How likely each species is, for the values of the four measures. */
  predict(values) {
    const width = measures.length + 1
    const scores = species.map((_, k) => {
      let score = this.weights[k * width + measures.length]
      for (let i = 0; i < measures.length; i++) score += this.weights[k * width + i] * this.#scaled(values, i)
      return Math.exp(score)
    })
    const sum = scores.reduce((a, b) => a + b, 0)
    return scores.map((score) => score / sum)
  }

  /** One step of gradient descent over all of them. */
  step(examples, rate) {
    const width = measures.length + 1
    const gradient = new Float32Array(this.weights.length)
    for (const { values, label } of examples) {
      for (const [k, probability] of this.predict(values).entries()) {
        const error = probability - (k === label ? 1 : 0)
        for (let i = 0; i < measures.length; i++) gradient[k * width + i] += error * this.#scaled(values, i)
        gradient[k * width + measures.length] += error
      }
    }
    for (let i = 0; i < gradient.length; i++) this.weights[i] -= (rate * gradient[i]) / examples.length
    this.steps += 1
  }

  #scaled(values, i) {
    return (values[i] - this.mean[i]) / this.spread[i]
  }
}
