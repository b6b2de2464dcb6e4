// Shell In A Box: a shell. What is typed goes out with a request, and what the shell prints comes back with the next.
import { effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'
import { shellOn } from '../shell.ts'

async function enter({ page }: Tab, line: string): Promise<void> {
  await page.click('#vt100')
  await page.keyboard.type(`${line}\n`)
}

async function shown({ page }: Tab, text: string): Promise<void> {
  await page.waitForSelector(`#vt100 #console:has-text("${text}")`, { timeout: effectMs })
}

const opened = (tab: Tab): Promise<void> => shown(tab, '$')

const { type, work } = shellOn({ enter, shown })

export const shellinabox: Application = {
  folder: 'shellinabox',
  title: 'Shell In A Box',
  version: 'shellinaboxd --version 2>&1',
  afterStop: {
    type: byBanner(opened).type,
    async click(tab) {
      const button = tab.page.locator('#reconnect :text("Connect"), #reconnect input')
      // The button clears the page. What is typed before the new shell prompts is lost.
      if (await button.isVisible()) await button.click({ timeout: effectMs })
      await shown(tab, '$')
      await type(tab, 'again')
    },
  },
  remarks: ['its page carries no files, and has nothing to click but a button after a stop'],
  link: () => '',
  opened,
  type,
  work,
}
