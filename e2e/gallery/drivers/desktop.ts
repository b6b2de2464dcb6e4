// The desktop of `gallery/desktop` in noVNC. The picture shows that a click had an effect. What a terminal puts into the
// clipboard of the desktop arrives as text in noVNC's panel.
import { eventually } from '../../run/deadline.ts'
import { effectMs, type Application, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

const picture = ({ page }: Tab): Promise<string> =>
  page.evaluate<string>(`document.querySelector('#noVNC_container canvas').toDataURL()`)

async function rests(tab: Tab): Promise<void> {
  await eventually('the picture rests', effectMs, async () => {
    const before = await picture(tab)
    await tab.page.waitForTimeout(500)
    return before.length > 20_000 && before === (await picture(tab))
  })
}

async function opened(tab: Tab): Promise<void> {
  await tab.page.waitForSelector(':root.noVNC_connected')
  await rests(tab)
}

async function enter(tab: Tab, line: string): Promise<void> {
  // The terminal is the window in the upper left corner. The window manager gives it the keyboard some time after the click,
  // and the shell reads some time after that: an empty line has another prompt as its answer then.
  await tab.page.mouse.click(300, 250)
  await rests(tab)
  const before = await picture(tab)
  await eventually('the shell prompts', effectMs, async () => {
    await tab.page.keyboard.press('Enter')
    await rests(tab)
    return (await picture(tab)) !== before
  })
  await tab.page.keyboard.type(`${line}\n`, { delay: 10 })
}

async function inClipboard({ page }: Tab, words: string): Promise<void> {
  const wanted = [...words].reverse().join('')
  await eventually(`${wanted} in the clipboard`, effectMs, async () => {
    return (await page.inputValue('#noVNC_clipboard_text')).trim() === wanted
  })
}

async function type(tab: Tab, words: string): Promise<void> {
  await enter(tab, `printf ${words} | rev | xclip -selection clipboard`)
  await inClipboard(tab, words)
}

async function shows(tab: Tab, words: string): Promise<void> {
  await enter(tab, 'rev note | xclip -selection clipboard')
  await inClipboard(tab, words)
}

export const desktop: Application = {
  folder: 'desktop',
  title: 'Desktop (TigerVNC, noVNC)',
  version: 'Xtigervnc -version 2>&1',
  afterStop: byBanner(opened),
  remarks: ['noVNC carries no files'],
  link: (root) => {
    const path = new URL(root).pathname.slice(1)
    return `vnc.html?autoconnect=true&resize=remote${path === '' ? '' : `&path=${path}websockify`}`
  },
  opened,
  async click(tab) {
    const before = await picture(tab)
    await tab.page.mouse.click(1100, 500, { button: 'right' })
    await eventually('the menu appears', effectMs, async () => (await picture(tab)) !== before)
    await tab.page.mouse.click(900, 700)
    await rests(tab)
  },
  type,
  work: {
    async save(tab, words) {
      await enter(tab, `echo ${words} > note`)
      await shows(tab, words)
    },
    shows,
  },
}
