import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tableFromIPC } from 'apache-arrow'
import { PNG } from 'pngjs'
import { expect, test, vi } from 'vitest'
import { serve } from '../../examples/browser/serve.mjs'
import { whereThereIs } from '../where-there-is.ts'
import { type Driver, keepPhotograph, openDriver, until } from './driver.ts'
import { findBrowsers } from './installed.mjs'

const photographs = fileURLToPath(new URL('../../tmp/photographs/', import.meta.url))

for (const browser of findBrowsers())
  whereThereIs(`the example in ${browser.name}`, browser.missing, () => {
    if (browser.missing === undefined) drive(browser)
  })

function drive(browser: Parameters<typeof openDriver>[0]): void {
  const ready = (driver: Driver) =>
    until(
      driver,
      'ready',
      () => {
        const train = document.querySelector<HTMLButtonElement>('#train')
        return train?.disabled === false && train.ariaDisabled !== 'true'
      },
      0,
    )

  const status = (driver: Driver, text: string) =>
    until(driver, text, (text) => new RegExp(text).test(document.querySelector('#status')?.textContent ?? ''), text)

  const textOf = (driver: Driver, selector: string) =>
    driver.evaluate((selector) => document.querySelector(selector)?.textContent ?? '', selector)

  const focus = (driver: Driver, selector: string) =>
    driver.evaluate((selector) => document.querySelector<HTMLElement>(selector)?.focus(), selector)

  const versions = (driver: Driver, name: string) =>
    driver.evaluate(
      (name) =>
        [...document.querySelectorAll(`details[data-name="${name}"] tbody tr`)].map((row) => [
          row.querySelector('td')?.textContent?.trim() ?? '',
          row.querySelector('.cost')?.textContent ?? '',
        ]),
      name,
    )

  const photograph = (driver: Driver, name: string) =>
    keepPhotograph(driver, `${photographs}${browser.name.toLowerCase()}-${name}.png`)

  test('works by the keyboard; again after a reload, and without a network; light, dark and narrow', async () => {
    let server = await serve(0)
    const port = Number(new URL(server.url).port)
    const driver = await openDriver(browser, false)
    const kept = () =>
      until(driver, 'ready without a network', () => document.documentElement.dataset.offline === 'ready', 0)
    try {
      await driver.resize(1280, 900)
      await driver.goto(server.url)
      await ready(driver)
      await kept()
      expect(await textOf(driver, '#score')).toBe('not trained')
      await driver.evaluate(() => {
        const errors: string[] = []
        addEventListener('error', ({ message }) => errors.push(message))
        addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
        Object.assign(globalThis, { errors })
      }, 0)

      await focus(driver, '#train')
      await driver.press('Enter')
      await status(driver, 'predictions v1 is kept')
      await ready(driver)
      // The focus is where it was.
      await driver.press('Tab')
      await driver.press('Tab')
      expect(await driver.evaluate(() => document.activeElement?.id, 0)).toBe('log')
      await driver.press('Enter')
      await status(driver, 'picture, the weights')
      await ready(driver)
      expect(Number.parseFloat(await textOf(driver, '#score'))).toBeGreaterThan(90)

      await driver.evaluate(() => {
        const select = document.querySelector<HTMLSelectElement>('[aria-label="Species of penguin 28"]')
        if (!select) throw new Error('There is no penguin 28.')
        select.value = 'Gentoo'
        select.dispatchEvent(new Event('change', { bubbles: true }))
      }, 0)
      await status(driver, 'predictions v2 is kept')
      const found = await versions(driver, 'predictions')
      expect(found.map(([version]) => version)).toEqual(['v2', 'v1', 'v0'])
      for (const [, cost] of found) expect(cost).toMatch(/^[\d.]+ k?B$/)
      expect(await driver.evaluate(() => document.querySelectorAll('details').length, 0)).toBe(4)
      const light = brightness(await photograph(driver, 'light'))
      expect(light).toBeGreaterThan(150)

      await focus(driver, '[aria-label="Preview predictions 3.0.0"]')
      await driver.press('Enter')
      await until(
        driver,
        'a preview',
        () => document.querySelector('#preview[open]')?.textContent?.includes('species Utf8') === true,
        0,
      )
      await photograph(driver, 'preview')
      await driver.press('Escape')
      await until(driver, 'the preview is closed', () => document.querySelector('#preview[open]') === null, 0)
      await focus(driver, '[aria-label="Preview map 1.0.0"]')
      await driver.evaluate(() => document.querySelector<HTMLElement>('[aria-label="Preview map 1.0.0"]')?.click(), 0)
      await until(
        driver,
        'the picture',
        () => document.querySelector<HTMLImageElement>('#preview img')?.naturalWidth === 720,
        0,
      )
      await driver.press('Escape')
      await driver.evaluate(
        () => document.querySelector<HTMLElement>('[aria-label="Download predictions 3.0.0"]')?.click(),
        0,
      )
      await vi.waitFor(
        async () =>
          expect(tableFromIPC(await readFile(join(driver.downloads, 'predictions.arrow'))).get(28)?.species).toBe(
            'Gentoo',
          ),
        { timeout: 30_000, interval: 50 },
      )
      expect(await driver.evaluate(() => Reflect.get(globalThis, 'errors'), 0)).toEqual([])

      await kept()
      // What a visit that was left in the middle of an update has kept.
      await driver.evaluate(async () => {
        await (await caches.open('penguins-0')).put('model.js', new Response('of another version'))
      }, 0)
      await driver.reload()
      await ready(driver)
      await kept()
      const keptModels = await driver.evaluate(async () => {
        const names = (await caches.keys()).filter((name) => name.startsWith('penguins'))
        return Promise.all(names.map(async (name) => (await (await caches.open(name)).match('model.js'))?.text()))
      }, 0)
      expect(keptModels).toEqual([expect.stringContaining('export class Model')])
      expect(Number.parseFloat(await textOf(driver, '#score'))).toBeGreaterThan(90)
      const before = await versions(driver, 'predictions')
      expect(before.length).toBeGreaterThanOrEqual(3)

      await server.close()
      await driver.reload()
      await ready(driver)
      await focus(driver, '#train')
      await driver.press('Enter')
      await status(driver, 'predictions v\\d+ is kept')
      await ready(driver)
      expect((await versions(driver, 'predictions')).length).toBeGreaterThan(before.length)
      await driver.resize(360, 800)
      await photograph(driver, 'narrow-offline')
      // As a page, not wider than its window: nobody scrolls sideways.
      expect(
        await driver.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth, 0),
      ).toBe(0)
      server = await serve(port)
    } finally {
      await driver.close()
    }

    const atNight = await openDriver(browser, true)
    try {
      await atNight.resize(1280, 900)
      await atNight.goto(server.url)
      await ready(atNight)
      await focus(atNight, '#train')
      await atNight.press('Enter')
      await status(atNight, 'predictions v1 is kept')
      await ready(atNight)
      expect(brightness(await photograph(atNight, 'dark'))).toBeLessThan(100)
    } finally {
      await atNight.close()
      await server.close()
    }
  })
}

/** A table that a page has saved, once all of it is there. */
/** Of the average pixel, from 0 to 255. */
function brightness(png: Uint8Array): number {
  const { data } = PNG.sync.read(Buffer.from(png))
  let sum = 0
  for (let at = 0; at < data.length; at += 4) sum += (data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)
  return sum / ((data.length / 4) * 3)
}
