import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve } from '../../examples/browser/serve.mjs'
import type { OpenBrowser, Profile } from './chromium.ts'
import { inChromium } from './in-chromium.ts'

/** Where photographs of the page are put, when somebody wants them. */
const photographs = process.env.TIDEMARK_PHOTOGRAPHS

inChromium('the example', (newProfile) => {
  let server: Awaited<ReturnType<typeof serve>>
  let profile: Profile
  let browser: OpenBrowser
  let errors: string[]
  beforeAll(async () => {
    server = await serve(0)
    profile = await newProfile()
    browser = await profile.open()
    errors = []
  })
  afterAll(async () => {
    await browser?.close()
    await profile?.remove()
    await server?.close()
  })

  async function open(): Promise<Page> {
    const page = await browser.context.newPage()
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(server.url)
    await ready(page)
    return page
  }

  const ready = (page: Page) =>
    page.waitForFunction(() => !document.querySelector<HTMLButtonElement>('#train')?.disabled)

  const kept = (page: Page) => page.waitForFunction(() => document.documentElement.dataset.offline === 'ready')

  const status = (page: Page, text: RegExp) => page.locator('#status').filter({ hasText: text }).waitFor()

  async function photograph(page: Page, name: string): Promise<void> {
    if (!photographs) return
    await mkdir(photographs, { recursive: true })
    await page.screenshot({ path: join(photographs, `${name}.png`), fullPage: true })
  }

  /** The versions of an artifact in the panel, newest first: version and cost. */
  async function versions(page: Page, name: string): Promise<string[][]> {
    const rows = page.locator(`details[data-name="${name}"] tbody tr`)
    return Promise.all(
      (await rows.all()).map(async (row) => [
        (await row.locator('td').first().textContent()) ?? '',
        (await row.locator('.cost').textContent()) ?? '',
      ]),
    )
  }

  test('trains, watches, logs, previews, downloads; again after a reload, and without a network', async () => {
    const page = await open()
    await page.setViewportSize({ width: 1280, height: 900 })
    expect(await page.locator('#score').textContent()).toBe('not trained')
    expect(await versions(page, 'predictions')).toHaveLength(1)

    // By the keyboard alone.
    await page.locator('#train').focus()
    await page.keyboard.press('Enter')
    await status(page, /predictions v1 is kept/)
    await ready(page)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await status(page, /picture, the weights/)
    await ready(page)
    expect(Number.parseFloat((await page.locator('#score').textContent()) ?? '')).toBeGreaterThan(90)

    // A label is corrected where it stands: the table is watched.
    await page.getByLabel('Species of penguin 28', { exact: true }).selectOption('Gentoo')
    await status(page, /predictions v2 is kept/)
    const [corrected, trained, first] = await versions(page, 'predictions')
    expect([corrected?.[0], trained?.[0], first?.[0]]).toEqual(['v2 ', 'v1 ', 'v0 '])
    for (const [, cost] of [corrected, trained, first].map((one) => one ?? [])) expect(cost).toMatch(/^[\d.]+ k?B$/)
    expect(await page.locator('details').count()).toBe(4)
    await photograph(page, 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await photograph(page, 'dark')

    await page.getByRole('button', { name: 'Preview predictions 3.0.0' }).press('Enter')
    await page.locator('#preview').getByText('species Utf8').waitFor()
    await photograph(page, 'preview')
    await page.keyboard.press('Escape')
    await page.locator('details[data-name="map"] summary').click()
    await page.getByRole('button', { name: 'Preview map 1.0.0' }).click()
    expect(
      await page.locator('#preview img').evaluate((image: HTMLImageElement) => image.naturalWidth),
    ).toBeGreaterThan(10)
    await page.keyboard.press('Escape')

    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download predictions 3.0.0' }).click()
    const saved = await coming
    expect(saved.suggestedFilename()).toBe('predictions.arrow')
    const bytes = await readFile(await saved.path())
    const { tableFromIPC } = await import('apache-arrow')
    expect(tableFromIPC(bytes).get(28)?.species).toBe('Gentoo')

    await kept(page)
    await page.reload()
    await ready(page)
    await kept(page)
    // The weights are read back; the labels come anew from the file.
    expect(Number.parseFloat((await page.locator('#score').textContent()) ?? '')).toBeGreaterThan(90)
    const before = await versions(page, 'predictions')
    expect(before.length).toBeGreaterThanOrEqual(3)
    expect(errors).toEqual([])

    await server.close()
    await page.reload()
    await ready(page)
    await page.locator('#train').click()
    await status(page, /predictions v\d+ is kept/)
    await ready(page)
    expect((await versions(page, 'predictions')).length).toBeGreaterThan(before.length)
    await page.setViewportSize({ width: 400, height: 900 })
    await photograph(page, 'narrow-offline')
    server = await serve(0)
  })
})
