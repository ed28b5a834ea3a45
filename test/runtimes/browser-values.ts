import { beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/connect.ts'
import type { Experiment } from '../../src/experiment.ts'
import { Artifact, file, image, memoryStore } from '../../src/index.ts'
import { folderValues } from './browser-folders.ts'

const red = [255, 0, 0, 255]
const blue = [0, 0, 255, 255]

const text = (value: string) => new TextEncoder().encode(value)

/** The values that only browsers have: what each becomes, and what is read back. */
export function browserValues(): void {
  describe('values of browsers', () => {
    let experiment: Experiment
    beforeEach(async () => {
      experiment = await (await connect({ store: memoryStore() })).createExperiment()
    })

    async function assetOf(value: unknown) {
      const asset = await (await experiment.uploadArtifact('value', value)).getAsset()
      return { path: asset.logicalPath, mediaType: asset.mediaType, value: await asset.get() }
    }

    /** Two pixels, red and blue. */
    const pixels = () => new ImageData(new Uint8ClampedArray([...red, ...blue]), 2, 1)
    const stored = {
      path: 'value.png',
      mediaType: 'image/png',
      value: { width: 2, height: 1, channels: 4, data: Uint8ClampedArray.of(...red, ...blue) },
    }

    describe('images', () => {
      it('ImageData, every sample as it is', async () => {
        expect(await assetOf(pixels())).toEqual(stored)
        const faint = new ImageData(new Uint8ClampedArray([200, 100, 50, 3]), 1, 1)
        expect((await assetOf(faint)).value).toMatchObject({ data: Uint8ClampedArray.of(200, 100, 50, 3) })
      })

      it('ImageData of Display P3: what is read back says so, and the browser shows the same colours', async () => {
        const settings: ImageDataSettings = { colorSpace: 'display-p3' }
        const wide = new ImageData(new Uint8ClampedArray([...red, ...blue]), 2, 1, settings)
        if (wide.colorSpace !== 'display-p3') return
        const asset = await (await experiment.uploadArtifact('value', wide)).getAsset()
        expect(await asset.get()).toEqual({ ...stored.value, colorSpace: 'display-p3' })
        const bitmap = await createImageBitmap(await new Response(await asset.open()).blob())
        const context = new OffscreenCanvas(2, 1).getContext('2d', settings)
        context?.drawImage(bitmap, 0, 0)
        expect(context?.getImageData(0, 0, 2, 1, settings).data).toEqual(stored.value.data)
      })

      it('OffscreenCanvas', async () => {
        const canvas = new OffscreenCanvas(2, 1)
        canvas.getContext('2d')?.putImageData(pixels(), 0, 0)
        expect(await assetOf(canvas)).toEqual(stored)
      })

      it('ImageBitmap', async () => {
        expect(await assetOf(await createImageBitmap(pixels()))).toEqual(stored)
      })

      it('a canvas that shows a bitmap, by its picture', async () => {
        const canvas = new OffscreenCanvas(2, 1)
        canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(await createImageBitmap(pixels()))
        const { path, value } = await assetOf(canvas)
        expect(path).toBe('value.png')
        expect(value).toMatchObject({ width: 2, height: 1 })
      })

      it('a canvas as it is at the call, whatever is drawn on it then; a bitmap that is closed then', async () => {
        const canvas = new OffscreenCanvas(2, 1)
        const context = canvas.getContext('2d')
        context?.putImageData(pixels(), 0, 0)
        const bitmap = await createImageBitmap(pixels())
        const logging = [canvas, image(canvas), bitmap].map(assetOf)
        const added = new Artifact('added', 'image').add(canvas, { logicalPath: 'value.png' })
        context?.clearRect(0, 0, 2, 1)
        bitmap.close()
        for (const asset of await Promise.all(logging)) expect(asset).toEqual(stored)
        const logged = await experiment.logArtifact(await added)
        expect(await logged.get()).toEqual(stored.value)
      })

      it('a canvas without a context stays free for any', async () => {
        const canvas = new OffscreenCanvas(2, 1)
        expect((await assetOf(canvas)).value).toMatchObject({ width: 2, height: 1 })
        expect(canvas.getContext('bitmaprenderer')).not.toBe(null)
      })

      it('a frame of a video', async () => {
        if (typeof VideoFrame !== 'function') return
        const canvas = new OffscreenCanvas(2, 2)
        const context = canvas.getContext('2d')
        if (context) context.fillStyle = '#ff0000'
        context?.fillRect(0, 0, 2, 2)
        const frame = new VideoFrame(canvas, { timestamp: 0 })
        expect((await assetOf(frame)).value).toMatchObject({ width: 2, height: 2 })
        frame.close()
      })

      it('an empty canvas is refused', async () => {
        await expect(assetOf(new OffscreenCanvas(0, 5))).rejects.toMatchObject({ code: 'image-empty' })
      })
    })

    describe('files', () => {
      it('Blob and File, with their media type and name', async () => {
        expect(await assetOf(new Blob(['a,b'], { type: 'text/csv' }))).toEqual({
          path: 'value',
          mediaType: 'text/csv',
          value: text('a,b'),
        })
        expect(await assetOf(new File(['{}'], 'report.json'))).toMatchObject({ path: 'report.json', value: text('{}') })
      })

      it('ReadableStream and Response, read while they come', async () => {
        expect(await assetOf(new Blob(['streamed']).stream())).toMatchObject({ value: text('streamed') })
        const response = new Response('answered', { headers: { 'content-type': 'text/plain; charset=utf-8' } })
        expect(await assetOf(response)).toMatchObject({ value: text('answered') })
        const fetched = await fetch('/two-pixels.png')
        const { path, mediaType } = await assetOf(fetched)
        expect({ path, mediaType }).toEqual({ path: 'two-pixels.png', mediaType: 'image/png' })
      })

      it('a response that says no is refused', async () => {
        await expect(assetOf(await fetch('/missing.txt'))).rejects.toMatchObject({ code: 'http-status' })
      })

      it('a response whose bytes the browser keeps back is refused', async () => {
        const { port } = location
        const opaque = await fetch(`http://localhost:${port}/two-pixels.png`, { mode: 'no-cors' })
        const refused = { code: 'response-opaque', category: 'PermissionError' }
        await expect(assetOf(opaque)).rejects.toMatchObject(refused)
      })

      it('a path, and an address that is a string, say what to hand over', async () => {
        await expect(assetOf(file('./a.txt'))).rejects.toMatchObject({ code: 'no-file-system' })
        const message = expect.stringContaining("new URL('https://a.b/c')")
        await expect(assetOf(file('https://a.b/c'))).rejects.toMatchObject({ code: 'no-file-system', message })
      })

      it('one of 20 MB, sliced from the disk', async () => {
        const part = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * i) >> 5)
        const logged = await experiment.uploadArtifact('large', new Blob(Array.from({ length: 20 }, () => part)))
        const read = await logged.get()
        expect(logged.size).toBe(20_000_000)
        expect(
          read instanceof Uint8Array && read.subarray(7_000_000, 8_000_000).every((byte, i) => byte === part[i]),
        ).toBe(true)
      })
    })

    it('downloads as a zip to save, which is the same each time', async () => {
      const artifact = new Artifact('files', 'dataset')
      for (const path of ['a/one.txt', 'two.txt']) await artifact.add(text(path), { logicalPath: path })
      const logged = await experiment.logArtifact(artifact)
      const zip = await logged.toZip()
      expect(zip.type).toBe('application/zip')
      const again = await experiment.uploadArtifact('again', new File([zip], 'again.zip'))
      expect(await again.get()).toEqual(new Uint8Array(await (await logged.toZip()).arrayBuffer()))
      expect((await logged.toZip({ pathPrefix: 'a' })).size).toBeLessThan(zip.size)
      await expect(logged.toZip({ pathPrefix: 'none' })).rejects.toMatchObject({ code: 'asset-not-found' })
    })

    folderValues(() => experiment, assetOf)
    if (typeof document === 'object') inPages(assetOf, pixels, stored)
  })
}

type Asset = { path: string; mediaType: string | undefined; value: unknown }

/** What there is in pages only. */
function inPages(assetOf: (value: unknown) => Promise<Asset>, pixels: () => ImageData, stored: Asset): void {
  describe('of pages', () => {
    function canvas(): HTMLCanvasElement {
      const element = document.createElement('canvas')
      element.width = 2
      element.height = 1
      return element
    }

    async function picture(src: string): Promise<HTMLImageElement> {
      const element = new Image()
      element.src = src
      await element.decode()
      return element
    }

    it('<canvas>', async () => {
      const element = canvas()
      element.getContext('2d')?.putImageData(pixels(), 0, 0)
      expect(await assetOf(element)).toEqual(stored)
      expect(await assetOf(image(element))).toEqual(stored)
    })

    it('<canvas> with another context than 2d, by its picture', async () => {
      const element = canvas()
      element.getContext('bitmaprenderer')?.transferFromImageBitmap(await createImageBitmap(pixels()))
      expect((await assetOf(element)).value).toMatchObject({ width: 2, height: 1 })
    })

    it('<canvas> that a worker draws on', async () => {
      const element = canvas()
      document.body.append(element)
      const context = element.transferControlToOffscreen().getContext('2d')
      context?.putImageData(pixels(), 0, 0)
      const shows = async () => JSON.stringify((await assetOf(element)).value) === JSON.stringify(stored.value)
      // What is drawn there is shown with the next frame.
      while (!(await shows()));
      element.remove()
    })

    it('ImageData of a frame', async () => {
      const frame = document.createElement('iframe')
      document.body.append(frame)
      const made: ImageData = Reflect.construct(Reflect.get(frame.contentWindow ?? {}, 'ImageData'), [2, 1])
      made.data.set([...red, ...blue])
      expect(await assetOf(made)).toEqual(stored)
      frame.remove()
    })

    it('<img>, in its own size', async () => {
      const element = await picture('/two-pixels.png')
      element.width = 50
      expect(await assetOf(element)).toMatchObject({ path: 'value.png', value: { width: 2, height: 1 } })
    })

    it('<img> that has not loaded is refused', async () => {
      await expect(assetOf(new Image())).rejects.toMatchObject({ code: 'image-empty' })
    })

    it('a canvas, and an <img>, of another origin is a typed error', async () => {
      const foreign = await picture(`http://localhost:${location.port}/two-pixels.png`)
      const element = canvas()
      element.getContext('2d')?.drawImage(foreign, 0, 0)
      const refused = { code: 'image-tainted', category: 'PermissionError' }
      await expect(assetOf(element)).rejects.toMatchObject(refused)
      await expect(assetOf(foreign)).rejects.toMatchObject(refused)
    })

    it('FileList, and what was dropped', async () => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(['A'], 'a.txt'))
      transfer.items.add(new File(['B'], 'b.txt'))
      const both = new Map([
        ['a.txt', new TextEncoder().encode('A')],
        ['b.txt', new TextEncoder().encode('B')],
      ])
      expect((await assetOf(transfer.files)).value).toEqual(both)
      expect((await assetOf(transfer.items)).value).toEqual(both)
      const input = document.createElement('input')
      input.type = 'file'
      input.multiple = true
      input.files = transfer.files
      expect((await assetOf(input.files)).value).toEqual(both)
    })
  })
}
