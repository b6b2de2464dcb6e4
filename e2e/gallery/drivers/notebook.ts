// Jupyter Notebook: a notebook whose only cell is run, edited and saved.
import type { Response } from 'playwright-core'
import { eventually } from '../../run/deadline.ts'
import {
  changed,
  downloaded,
  effectMs,
  fetchJson,
  type Application,
  type Tab,
} from '../application.ts'
import { byBanner } from '../banner.ts'

const editor = '.jp-Notebook .jp-CodeCell .cm-content'
const output = '.jp-Notebook .jp-CodeCell .jp-OutputArea-output'

interface Kernel {
  readonly execution_state: string
  readonly connections: number
}

async function run({ page }: Tab, code: string): Promise<void> {
  await page.click(editor)
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(code)
  await page.keyboard.press('Control+Enter')
}

const isRequest = (method: string, end: string) => (response: Response) =>
  response.request().method() === method && new URL(response.url()).pathname.endsWith(end)

async function save(tab: Tab, words: string): Promise<void> {
  const { page } = tab
  await page.click(editor)
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(`import time; print('${words}', time.time_ns())`)
  // Jupyter makes a checkpoint after it has saved, and ignores the keys until then.
  const [checkpoint] = await Promise.all([
    page.waitForResponse(isRequest('POST', '/checkpoints'), { timeout: effectMs }),
    page.keyboard.press('Control+S'),
  ])
  if (!checkpoint.ok()) throw new Error(`saving was answered with ${checkpoint.status()}`)
}

async function opened({ page, root }: Tab): Promise<void> {
  await page.waitForSelector(editor)
  // The page shows an idle kernel before it is connected to one.
  await eventually('the page is connected to an idle kernel', effectMs, async () => {
    const kernels = await fetchJson<Kernel[]>(page, `${root}api/kernels`)
    return kernels.some((kernel) => kernel.execution_state === 'idle' && kernel.connections > 0)
  })
}

export const notebook: Application = {
  folder: 'notebook',
  title: 'Jupyter Notebook',
  version: 'jupyter-notebook --version',
  afterStop: { click: byBanner(opened).click, type: save },
  remarks: [],
  link: () => 'notebooks/work.ipynb',
  opened,
  async click({ page }) {
    await changed(page.locator(output), async () => {
      await page.click(editor)
      await page.click('[data-command="notebook:run-cell-and-select-next"]')
    })
  },
  async type(tab, words) {
    await run(tab, `import time; print('${words}'[::-1], time.time_ns())`)
    const reversed = [...words].reverse().join('')
    await tab.page.waitForSelector(`${output}:has-text("${reversed}")`, { timeout: effectMs })
  },
  work: {
    save,
    async shows({ page }, words) {
      await page.waitForSelector(`${editor}:has-text("${words}")`, { timeout: effectMs })
    },
  },
  files: {
    async upload({ page, root }, file) {
      await page.goto(`${root}tree`)
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.click(
          '.jp-FileBrowser [data-command="filebrowser:upload"], .jp-Toolbar [title*="pload"]',
        ),
      ])
      await chooser.setFiles(file.path)
      // Jupyter asks once more for a large file, and sends it in pieces.
      await page.click('.jp-Dialog button.jp-mod-accept', { timeout: effectMs })
      await eventually('the whole file is there', 3 * effectMs, async () => {
        const address = `${root}api/contents/${file.name}?content=0`
        const { size } = await fetchJson<{ size?: number }>(page, address)
        return size === file.bytes
      })
    },
    async download({ page }, name) {
      await page.check(`.jp-DirListing-item:has-text("${name}") input[type=checkbox]`)
      return downloaded(page, () => page.click('.jp-FileBrowser-toolbar :text("Download")'))
    },
  },
}
