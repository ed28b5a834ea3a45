/**
 * Lengths of the codes of a prefix code, at most `limit` bits, 0 for symbols that do not occur. Integers only, so that every runtime builds
 * the same code.
 */
export function codeLengths(frequencies: Uint32Array, limit: number): Uint8Array {
  const lengths = new Uint8Array(frequencies.length)
  const used: number[] = []
  for (let symbol = 0; symbol < frequencies.length; symbol++) if (frequencies[symbol] > 0) used.push(symbol)
  if (used.length === 1) lengths[used[0]] = 1
  if (used.length < 2) return lengths
  used.sort((a, b) => frequencies[a] - frequencies[b] || a - b)

  const counts = limited(depths(used.map((symbol) => frequencies[symbol])), used.length, limit)
  // The rarest symbols take the longest codes.
  let at = 0
  for (let length = limit; length > 0; length--) {
    for (let i = 0; i < counts[length]; i++) lengths[used[at++]] = length
  }
  return lengths
}

/** How deep each leaf of the Huffman tree lies, for ascending weights: two queues, leaves and joined nodes, both in order. */
function depths(weights: number[]): number[] {
  const leaves = weights.length
  const weight = weights.slice()
  const parent = new Int32Array(2 * leaves - 1)
  let leaf = 0
  let joined = leaves
  const least = () => (joined >= weight.length || (leaf < leaves && weight[leaf] <= weight[joined]) ? leaf++ : joined++)
  while (weight.length < 2 * leaves - 1) {
    const a = least()
    const b = least()
    parent[a] = weight.length
    parent[b] = weight.length
    weight.push(weight[a] + weight[b])
  }
  const depth = new Array<number>(2 * leaves - 1).fill(0)
  for (let node = 2 * leaves - 3; node >= 0; node--) depth[node] = depth[parent[node]] + 1
  return depth.slice(0, leaves)
}

/** Counts of codes by length with none longer than `limit`: overlong ones are shortened, and others lengthened until all fit again. */
function limited(leafDepths: number[], leaves: number, limit: number): Uint32Array {
  const counts = new Uint32Array(limit + 1)
  for (const depth of leafDepths) counts[Math.min(depth, limit)]++
  let taken = 0
  for (let length = 1; length <= limit; length++) taken += counts[length] * 2 ** (limit - length)
  while (taken > 2 ** limit) {
    let length = limit - 1
    while (counts[length] === 0) length--
    counts[length]--
    counts[length + 1]++
    taken -= 2 ** (limit - length - 1)
  }
  // Room left by coarse steps goes to the deepest codes that can use it.
  for (let length = limit; length > 1; length--) {
    while (counts[length] > 0 && taken + 2 ** (limit - length) <= 2 ** limit) {
      counts[length]--
      counts[length - 1]++
      taken += 2 ** (limit - length)
    }
  }
  return leaves > 0 ? counts : new Uint32Array(limit + 1)
}

/** The codes that belong to the lengths (RFC 1951, 3.2.2), with their bits reversed, as deflate writes them. */
export function reversedCodes(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(lengths.length)
  let code = 0
  for (let length = 1; length < 16; length++) {
    code <<= 1
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue
      let reversed = 0
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit)
      codes[symbol] = reversed
      code++
    }
  }
  return codes
}
