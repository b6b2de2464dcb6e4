// The application of `gallery/streamlit`: a counter in the session, and a note and a file in the home.
import { changed, downloaded, effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

const main = '[data-testid="stMain"]'

async function type({ page }: Tab, words: string): Promise<void> {
  await page.fill(`${main} input[aria-label="Note"]`, words)
  await page.keyboard.press('Enter')
  await page.waitForSelector(`${main} :text("In capitals: ${words.toUpperCase()}")`, {
    timeout: effectMs,
  })
}

async function save(tab: Tab, words: string): Promise<void> {
  await type(tab, words)
  await tab.page.click(`${main} button:has-text("Save")`)
  await shows(tab, words)
}

async function shows({ page }: Tab, words: string): Promise<void> {
  await page.waitForSelector(`${main} :text("Saved: ${words}")`, { timeout: effectMs })
}

async function click({ page }: Tab): Promise<void> {
  await changed(page.locator(`${main} :text-matches("^Counted: ")`).last(), () =>
    page.click(`${main} button:has-text("Count")`, { timeout: effectMs }),
  )
}

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector(`${main} :text("Saved:")`)
  await page.waitForSelector('[data-testid="stApp"][data-test-connection-state="CONNECTED"]')
}

export const streamlit: Application = {
  folder: 'streamlit',
  title: 'Streamlit',
  version: 'streamlit --version',
  afterStop: byBanner(opened),
  remarks: [],
  link: () => '?from=bookmark',
  opened,
  click,
  type,
  work: { save, shows },
  files: {
    async upload({ page }, file) {
      await page.setInputFiles(`${main} input[type=file]`, file.path)
      await page.waitForSelector(`${main} button:has-text("Download ${file.name}")`, {
        timeout: 2 * effectMs,
      })
    },
    async download({ page }, name) {
      return downloaded(page, () => page.click(`${main} button:has-text("Download ${name}")`))
    },
  },
}
