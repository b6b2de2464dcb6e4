// code-server: a file that is edited and saved, and a terminal. All of it goes over WebSockets.
import { downloaded, effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

const explorer = '.explorer-folders-view'
const row = (name: string): string => `${explorer} .monaco-list-row:has(:text-is("${name}"))`
/** Below the files. */
const position = { x: 100, y: 300 }
const lines = '.editor-instance .view-lines'

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector(row('note.txt'))
}

async function openNote({ page }: Tab): Promise<void> {
  await page.click(row('note.txt'), { timeout: effectMs })
  await page.waitForSelector(`.tab.active[data-resource-name="note.txt"]`, { timeout: effectMs })
  await page.waitForSelector(`${lines} :text-matches(".")`, { timeout: effectMs })
}

async function shows(tab: Tab, words: string): Promise<void> {
  await openNote(tab)
  await tab.page.waitForSelector(`${lines} :text("${words}")`, { timeout: effectMs })
}

/** A terminal shows nothing that can be read here, so the command makes a file. */
async function type({ page }: Tab, words: string): Promise<void> {
  if (!(await page.isVisible('.xterm'))) await page.keyboard.press('Control+Backquote')
  await page.click('.xterm-screen', { timeout: effectMs })
  await page.keyboard.type(`touch $(echo ${words} | rev)\n`)
  await page.waitForSelector(row([...words].reverse().join('')), { timeout: effectMs })
}

/** An entry of the menu of a file, or of the folder. */
async function choose({ page }: Tab, name: string | undefined, entry: string): Promise<void> {
  if (name === undefined)
    await page.click(`${explorer} .monaco-list`, { button: 'right', position })
  else await page.click(row(name), { button: 'right', timeout: effectMs })
  // A menu that has just appeared ignores a click.
  await page.hover(`.monaco-menu :text-is("${entry}")`, { timeout: effectMs })
  await page.waitForSelector(`.monaco-menu .focused :text-is("${entry}")`, { timeout: effectMs })
  await page.keyboard.press('Enter')
}

export const codeServer: Application = {
  folder: 'code-server',
  title: 'code-server (VS Code)',
  version: 'code-server --version | tail -1',
  // Between 60 and 90 seconds after the last input the page tells its server that nobody uses the window.
  restsAfterMs: 95_000,
  afterStop: byBanner(opened),
  remarks: ['sends something up to 90 s after the last input'],
  link: () => '?folder=/home/person/work',
  opened,
  /** The list of the files comes from the server. */
  async click({ page }) {
    const name = `folder-${Date.now()}`
    await page.hover(`${explorer} .monaco-list`)
    await page.click('.pane-header [aria-label="New Folder..."]', { timeout: effectMs })
    await page.keyboard.type(`${name}\n`)
    await page.waitForSelector(row(name), { timeout: effectMs })
  },
  type,
  work: {
    async save(tab, words) {
      const { page } = tab
      await openNote(tab)
      await page.click(lines)
      await page.keyboard.press('Control+A')
      await page.keyboard.insertText(words)
      await page.keyboard.press('Control+S')
      // The file is read again once no editor has it.
      const own = '.tab[data-resource-name="note.txt"]'
      await page.click(own, { button: 'middle' })
      await page.waitForSelector(own, { state: 'detached', timeout: effectMs })
      await shows(tab, words)
    },
    shows,
  },
  files: {
    async upload(tab, file) {
      const { page } = tab
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        choose(tab, undefined, 'Upload...'),
      ])
      await chooser.setFiles(file.path)
      await page.waitForSelector(row(file.name), { timeout: 3 * effectMs })
    },
    async download(tab, name) {
      // Where a page may write files of the machine, VS Code asks for a folder, in a dialog of the browser.
      await tab.page.evaluate('delete window.showSaveFilePicker; delete window.showDirectoryPicker')
      return downloaded(tab.page, () => choose(tab, name, 'Download...'))
    },
  },
}
