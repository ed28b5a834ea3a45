import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { image } from '../../src/index.ts'
import { bytesOf, give, log, temporaryFolder } from './exchange.ts'
import { pythonJson } from './python.ts'

const channelNames = ['', 'grey', 'grey and alpha', 'RGB', 'RGBA']
const modes = ['', 'L', 'LA', 'RGB', 'RGBA']

function samples(count: number, seed: number, most: number): number[] {
  let state = seed
  return Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    // Smooth with noise, so that every filter and runs of equal bytes come up.
    return Math.floor(((Math.sin(i / 40) + 1) / 2) * most * 0.7 + (state / 2 ** 32) * most * 0.3)
  })
}

const see = `
import hashlib, json, sys
from PIL import Image
with Image.open(sys.argv[1]) as image:
    image.load()
    print(json.dumps({'mode': image.mode, 'size': image.size, 'digest': hashlib.sha256(image.tobytes()).hexdigest()}))
`

function digestOf(data: ArrayBufferView): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
}

const sizes = [
  [1, 1],
  [3, 5],
  [64, 64],
  [257, 130],
] as const

describe('Pillow reads what we write', () => {
  const cases = [1, 2, 3, 4].flatMap((channels) =>
    sizes.map(([width, height]) => ({ channels, width, height, name: channelNames[channels] })),
  )

  it.each(cases)('8 bits, $name, $width x $height: equal pixels', async ({ channels, width, height }) => {
    const data = Uint8ClampedArray.from(samples(width * height * channels, channels, 255))
    expect(pythonJson(see, await give(image({ width, height, data })))).toEqual({
      mode: modes[channels],
      size: [width, height],
      digest: digestOf(data),
    })
  })

  it.each(cases)('16 bits, $name, $width x $height', async ({ channels, width, height }) => {
    const data = Uint16Array.from(samples(width * height * channels, channels, 65_535))
    // Pillow keeps 16 bits of grey, and of all else the upper byte (its raw modes RGB;16B, RGBA;16B); grey with alpha becomes RGBA (LA;16B).
    const upper = Uint8Array.from(data, (sample) => sample >> 8)
    const seen = channels === 1 ? data : channels === 2 ? rgba({ width, height, channels, data: upper }) : upper
    expect(pythonJson(see, await give(image({ width, height, data })))).toEqual({
      mode: channels === 1 ? 'I;16' : channels === 2 ? 'RGBA' : modes[channels],
      size: [width, height],
      digest: digestOf(seen),
    })
  })

  it('an opaque RGBA image keeps its pixels', async () => {
    const data = Uint8ClampedArray.from(samples(40 * 30 * 4, 9, 255), (sample, i) => (i % 4 === 3 ? 255 : sample))
    const convert = see.replace('image.load()', "image = image.convert('RGBA')")
    expect(pythonJson(convert, await give({ width: 40, height: 30, data }))).toEqual({
      mode: 'RGBA',
      size: [40, 30],
      digest: digestOf(data),
    })
  })

  it('its checks of chunks and checksums hold, also for a larger image of several parts', async () => {
    const data = Uint8ClampedArray.from(samples(1500 * 900 * 3, 5, 255))
    const path = await give(image({ width: 1500, height: 900, data }))
    const verify = `
import json, sys
from PIL import Image
with Image.open(sys.argv[1]) as image:
    image.verify()
print(json.dumps(True))`
    expect(pythonJson(verify, path)).toBe(true)
  })
})

const draw = `
import hashlib, json, random, sys
from PIL import Image
random.seed(3)
def noise(mode, size, most=255):
    image = Image.new(mode, size)
    bands = len(image.getbands())
    pixels = [tuple(random.randrange(most + 1) for _ in range(bands)) for _ in range(size[0] * size[1])]
    image.putdata([pixel[0] for pixel in pixels] if bands == 1 else pixels)
    return image
expected = {}
for size in [(1, 1), (19, 11), (130, 70)]:
    given = {mode: noise(mode, size) for mode in ['L', 'LA', 'RGB', 'RGBA']}
    given['1'] = noise('L', size).convert('1')
    for colors in (2, 4, 16, 256):
        given[f'P{colors}'] = noise('RGB', size).quantize(colors)
    given['I16'] = Image.frombytes('I;16', size, random.randbytes(size[0] * size[1] * 2))
    options = {'PT': {'transparency': 1}, 'PA': {'transparency': bytes(range(0, 256))}, 'RT': {'transparency': (1, 2, 3)}, 'LT': {'transparency': 7}}
    given['PT'] = given['P16']
    given['PA'] = given['P256']
    given['RT'] = given['RGB']
    given['LT'] = given['L']
    for name, image in given.items():
        for how in ({}, {'optimize': True}, {'compress_level': 0}):
            path = f'{name}-{size[0]}-{"-".join(map(str, how)) or "plain"}.png'
            image.save(f'{sys.argv[1]}/{path}', **how, **options.get(name, {}))
            with Image.open(f'{sys.argv[1]}/{path}') as saved:
                deep = saved.mode.startswith('I')
                kept = saved if deep else saved.convert('RGBA')
                expected[path] = {'size': size, 'deep': deep, 'digest': hashlib.sha256(kept.tobytes()).hexdigest()}
print(json.dumps(expected))
`

interface Picture {
  width: number
  height: number
  channels: number
  data: Uint8Array | Uint8ClampedArray | Uint16Array
}

function isPicture(value: unknown): value is Picture {
  return typeof value === 'object' && value !== null && 'channels' in value
}

function rgba({ channels, data }: Picture): Buffer {
  if (data instanceof Uint16Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const pixels = data.length / channels
  const out = Buffer.alloc(pixels * 4, 255)
  for (let i = 0; i < pixels; i++) {
    const at = i * channels
    for (let c = 0; c < 3; c++) out[i * 4 + c] = data[at + (channels >= 3 ? c : 0)]
    if (channels === 2 || channels === 4) out[i * 4 + 3] = data[at + channels - 1]
  }
  return out
}

describe('we read what Pillow writes', () => {
  it('palettes, single bits, 16 bits, transparent colours: equal pixels', async () => {
    const folder = await temporaryFolder()
    const expected = Object(pythonJson(draw, folder))
    const files = await readdir(folder)
    expect(files.length).toBeGreaterThan(100)
    for (const name of files) {
      const bytes = await bytesOf(join(folder, name))
      const logged = await log(image(bytes))
      const picture = await logged.get()
      if (!isPicture(picture)) throw new TypeError('not a picture')
      expect([name, picture.width, picture.height, picture.data instanceof Uint16Array]).toEqual([
        name,
        ...expected[name].size,
        expected[name].deep,
      ])
      expect([name, digestOf(rgba(picture))]).toEqual([name, expected[name].digest])
      // The file stays as it was.
      expect((await logged.getAssets())[0].size).toBe(bytes.length)
    }
  })
})
