// marimo: a notebook whose cell is run, edited and saved.
import { changed, downloaded, effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

const cell = '.marimo-cell'
const editor = `${cell} .cm-content`

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector(editor)
  await page.waitForSelector('[data-testid="backend-status"]')
}

async function write({ page }: Tab, code: string): Promise<void> {
  await page.click(editor, { timeout: effectMs })
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(code)
}

async function save(tab: Tab, words: string): Promise<void> {
  await write(tab, `print('${words}')`)
  const [answer] = await Promise.all([
    tab.page.waitForResponse((response) => response.url().endsWith('/api/kernel/save'), {
      timeout: effectMs,
    }),
    tab.page.keyboard.press('Control+S'),
  ])
  if (!answer.ok()) throw new Error(`saving was answered with ${answer.status()}`)
}

async function showFiles({ page }: Tab): Promise<void> {
  if (!(await page.isVisible('[data-testid="file-explorer-upload-button"]')))
    await page.click('[data-testid="chrome-sidebar"] [data-key="files"]', { timeout: effectMs })
}

export const marimo: Application = {
  folder: 'marimo',
  title: 'marimo',
  version: 'marimo --version',
  afterStop: byBanner(opened),
  remarks: [],
  link: () => '?file=work.py',
  opened,
  async click(tab) {
    await write(tab, 'import time; print(time.time_ns())')
    await changed(tab.page.locator(`${cell} [data-testid="console-output-area"]`), () =>
      tab.page.click(`${cell} [data-testid="run-button"]`, { timeout: effectMs }),
    )
  },
  async type(tab, words) {
    await write(tab, `print('${words}'[::-1])`)
    await tab.page.keyboard.press('Control+Enter')
    const reversed = [...words].reverse().join('')
    await tab.page.waitForSelector(`${cell} :text("${reversed}")`, { timeout: effectMs })
  },
  work: {
    save,
    async shows({ page }, words) {
      await page.waitForSelector(`${editor}:has-text("${words}")`, { timeout: effectMs })
    },
  },
  files: {
    async upload(tab, file) {
      await showFiles(tab)
      await tab.page.setInputFiles('[data-testid="file-explorer-upload-input"]', file.path)
      await tab.page.waitForSelector(':text-is("File uploaded")', { timeout: 3 * effectMs })
      // The panel lists the new file after a reload, and is still open then.
      await tab.page.reload()
      await opened(tab)
      await tab.page.waitForSelector('[data-testid="file-explorer-upload-button"]')
    },
    async download({ page }, name) {
      const entry = page.locator(`[role=treeitem]:has-text("${name}")`)
      await entry.hover({ timeout: effectMs })
      await entry.locator('button').last().click()
      const choice = page.locator('[role=menuitem]:text-is("Download")')
      return downloaded(page, () => choice.click({ timeout: effectMs }))
    },
  },
}
