// The application of `gallery/shiny`: answers over the WebSocket, and a note and a file in the home.
import { changed, downloaded, effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector('#saved:not(:empty)')
}

async function type({ page }: Tab, words: string): Promise<void> {
  await page.fill('#note', words, { timeout: effectMs })
  await page.waitForSelector(`#capitals:text-is("${words.toUpperCase()}")`, { timeout: effectMs })
}

async function shows({ page }: Tab, words: string): Promise<void> {
  await page.waitForSelector(`#saved:text-is("${words}")`, { timeout: effectMs })
}

export const shiny: Application = {
  folder: 'shiny',
  title: 'R Shiny',
  version: `dpkg-query --show --showformat '\${Version}' r-cran-shiny`,
  afterStop: byBanner(opened),
  remarks: [],
  link: () => '?from=bookmark',
  opened,
  async click({ page }) {
    await changed(page.locator('#counted'), () => page.click('#count', { timeout: effectMs }))
  },
  type,
  work: {
    async save(tab, words) {
      await type(tab, words)
      await tab.page.click('#save')
      await shows(tab, words)
    },
    shows,
  },
  files: {
    async upload({ page }, file) {
      await page.setInputFiles('#file', file.path)
      await page.waitForSelector('.progress-bar:has-text("Upload complete")', {
        timeout: 3 * effectMs,
      })
    },
    download: ({ page }) => downloaded(page, () => page.click('#kept')),
  },
}
