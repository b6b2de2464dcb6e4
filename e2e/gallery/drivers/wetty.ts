// WeTTY: a shell. Both directions go over one WebSocket, or over long polls.
import { eventually } from '../../run/deadline.ts'
import { effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'
import { shellOn } from '../shell.ts'

const text = ({ page }: Tab): Promise<string> =>
  page.evaluate<string>(`(() => {
    const { active } = window.wetty_term.buffer
    const lines = Array.from({ length: active.length }, (_each, at) => active.getLine(at)?.translateToString(true))
    return lines.join('\\n')
  })()`)

async function shown(tab: Tab, words: string): Promise<void> {
  await eventually(`the terminal shows ${words}`, effectMs, async () =>
    (await text(tab)).includes(words),
  )
}

const opened = (tab: Tab): Promise<void> => shown(tab, '$')

async function enter({ page }: Tab, line: string): Promise<void> {
  await page.click('#terminal', { timeout: effectMs })
  await page.keyboard.type(`${line}\n`)
}

export const wetty: Application = {
  folder: 'wetty',
  title: 'WeTTY',
  version: 'wetty --version',
  afterStop: {
    /** The page's own button loads it again. */
    async click(tab) {
      const button = tab.page.getByText('reconnect')
      if (await button.isVisible()) await button.click()
      await opened(tab)
    },
    type: byBanner(opened).type,
  },
  remarks: ['its page carries no files, and has nothing to click that the server would answer'],
  link: () => '',
  opened,
  ...shellOn({ enter, shown }),
}
