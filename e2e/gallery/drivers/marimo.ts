// marimo: a notebook whose cell is run, edited and saved.
import { changed, effectMs, type Application, type Tab } from '../application.ts'
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

export const marimo: Application = {
  folder: 'marimo',
  title: 'marimo',
  version: 'marimo --version',
  afterStop: byBanner(opened),
  remarks: ['its panel of files was not tried'],
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
}
