// The application of `gallery/gradio`: an answer that the server computes, and a note and a file in the home.
import { eventually } from '../../run/deadline.ts'
import { downloaded, effectMs, type Application, type Tab } from '../application.ts'

const valueOf = (id: string): string => `#${id} textarea, #${id} input`

async function type({ page }: Tab, words: string): Promise<void> {
  await page.click(valueOf('note'), { timeout: effectMs })
  await page.keyboard.press('Control+A')
  await page.keyboard.type(words)
  await eventually(`${words} in capitals`, effectMs, async () => {
    return (await page.inputValue(valueOf('capitals'))) === words.toUpperCase()
  })
}

async function save(tab: Tab, words: string): Promise<void> {
  await type(tab, words)
  await tab.page.click('#save')
  await shows(tab, words)
}

async function shows({ page }: Tab, words: string): Promise<void> {
  await eventually(`${words} is saved`, effectMs, async () => {
    return (await page.inputValue(valueOf('saved'))) === words
  })
}

async function click({ page }: Tab): Promise<void> {
  const count = page.locator(valueOf('count'))
  const before = await count.inputValue()
  await page.click('#add', { timeout: effectMs })
  await eventually('the count changes', effectMs, async () => (await count.inputValue()) !== before)
}

export const gradio: Application = {
  folder: 'gradio',
  title: 'Gradio',
  version: 'pip show gradio | grep ^Version',
  afterStop: { click, type },
  remarks: [],
  link: () => '?from=bookmark',
  async opened({ page }) {
    await eventually('the page shows what was saved', effectMs, async () => {
      return (await page.inputValue(valueOf('saved'))) !== ''
    })
  },
  click,
  type,
  work: { save, shows },
  files: {
    async upload({ page }, file) {
      await page.setInputFiles('#upload input[type=file]', file.path)
      await page.waitForSelector('#kept a[download]', { timeout: 3 * effectMs })
    },
    async download({ page }) {
      return downloaded(page, () => page.click('#kept a[download]'))
    },
  },
}
