import { join } from 'node:path'
import { openProfile } from './chromium.ts'
import type { Driver, DriverOptions, FoundBrowser } from './driver.ts'

/** Over the debugging port, by Playwright. */
export async function openChromium(_browser: FoundBrowser, { dark, folder }: DriverOptions): Promise<Driver> {
  const browser = await openProfile(folder)
  const page = await browser.context.newPage()
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
  const downloads = join(folder, 'Downloads')
  page.on('download', (download) => void download.saveAs(join(downloads, download.suggestedFilename())))
  return {
    downloads,
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    evaluate: (task, value) => page.evaluate(`(${task})(${JSON.stringify(value)})`),
    press: (key) => page.keyboard.press(key),
    resize: (width, height) => page.setViewportSize({ width, height }),
    photograph: () => page.screenshot(),
    close: () => browser.close(),
  }
}
