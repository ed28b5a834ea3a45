// What a version cost: the bytes that were written to the store for it. Remembered beside the store, by name and version.

const place = 'penguins-costs'
let written = 0
let told = 0

/** A store that counts what is written to it. */
export function counted(store) {
  return {
    ...store,
    async put(key, bytes, options) {
      const result = await store.put(key, bytes, options)
      written += bytes.length
      return result
    },
  }
}

/** All that was written since the last time belongs to this version. */
export function noteCost({ name, index }) {
  const costs = all()
  costs[`${name}:v${index}`] ??= written - told
  told = written
  localStorage.setItem(place, JSON.stringify(costs))
}

export function costOf({ name, index }) {
  return all()[`${name}:v${index}`]
}

function all() {
  return JSON.parse(localStorage.getItem(place) ?? '{}')
}
