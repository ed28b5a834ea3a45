import { join } from 'node:path'
import { launch } from 'puppeteer-core'
import type { Driver, DriverOptions, FoundBrowser } from './driver.ts'
import { firefoxPreferences } from './start.mjs'

/** Over WebDriver BiDi, by Puppeteer. */
export async function openFirefox({ program }: FoundBrowser, { dark, folder }: DriverOptions): Promise<Driver> {
  const downloads = join(folder, 'Downloads')
  const browser = await launch({
    browser: 'firefox',
    executablePath: program,
    userDataDir: folder,
    extraPrefsFirefox: {
      ...firefoxPreferences,
      // 0 is dark, 1 light.
      'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
      // 2 is the folder named.
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
    },
    handleSIGINT: true,
  })
  const page = await browser.newPage()
  return {
    downloads,
    goto: async (url) => void (await page.goto(url)),
    // Not by its own command: after that one, keys go nowhere.
    reload: async () => void (await page.goto(page.url())),
    evaluate: async (task, value) => page.evaluate(`(${task})(${JSON.stringify(value)})`) as ReturnType<typeof task>,
    press: (key) => page.keyboard.press(key),
    resize: (width, height) => page.setViewport({ width, height }),
    photograph: () => page.screenshot(),
    close: () => browser.close(),
  }
}
