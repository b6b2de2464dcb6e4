// pgAdmin with its own PostgreSQL: a query tool, whose answers come from the database, and a table that keeps words.
import type { FrameLocator, Locator, Page } from 'playwright-core'
import { effectMs, type Application, type Gesture, type Tab } from '../application.ts'
import { byBanner } from '../banner.ts'

const entry = (name: string): string => `.file-entry:has(:text-is("${name}"))`
/** The query tool is a page of its own in a frame. */
const frame = 'iframe[id^="id-query-tool_"]:visible'
const tool = (page: Page): FrameLocator => page.frameLocator(frame)
const editor = (page: Page): Locator => tool(page).locator('.cm-content').first()

async function opened({ page }: Tab): Promise<void> {
  await page.waitForSelector('.file-entry:has-text("Servers")')
}

/** Opens what is below an entry of the tree, if it is not open already. */
async function unfold({ page }: Tab, from: string, to: string): Promise<void> {
  if (await page.isVisible(to)) return
  await page.dblclick(from, { timeout: effectMs })
  await page.waitForSelector(to, { timeout: effectMs })
}

/** One query tool, however often a person asks. A reload opens the former one again by itself. */
async function toQueryTool(tab: Tab): Promise<void> {
  const { page } = tab
  if ((await page.locator(frame).count()) === 0) {
    // The only server connects by itself once its group is open.
    await unfold(tab, '.file-entry:has-text("Servers")', entry('Databases'))
    await unfold(tab, entry('Databases'), entry('postgres'))
    await page.click(entry('postgres'), { timeout: effectMs })
    await page.keyboard.press('Alt+Shift+Q')
  }
  await editor(page).waitFor({ timeout: 3 * effectMs })
}

/** The answer is the words in capitals, so that the text of the query is not taken for it. */
async function asked(
  tab: Tab,
  sql: string,
  run: () => Promise<void>,
  words: string,
): Promise<void> {
  await toQueryTool(tab)
  await editor(tab.page).click()
  await tab.page.keyboard.press('Control+A')
  await tab.page.keyboard.insertText(sql)
  await run()
  await tool(tab.page)
    .locator(`.rdg-cell:has-text("${words.toUpperCase()}")`)
    .waitFor({ timeout: effectMs })
}

const click: Gesture = (tab, words) =>
  asked(
    tab,
    `select upper('${words}')`,
    () => tool(tab.page).locator('[aria-label="Execute script"]').click({ timeout: effectMs }),
    words,
  )

const byKey = (tab: Tab, sql: string, words: string): Promise<void> =>
  asked(tab, sql, () => tab.page.keyboard.press('F5'), words)

export const pgadmin: Application = {
  folder: 'pgadmin',
  title: 'pgAdmin',
  version: 'pip show pgadmin4 | grep ^Version',
  afterStop: byBanner(opened),
  remarks: ['its page carries files only if it has a sign-in of its own'],
  link: () => 'browser/',
  opened,
  click,
  type: (tab, words) => byKey(tab, `select upper('${words}')`, words),
  work: {
    save: (tab, words) =>
      byKey(
        tab,
        `create table if not exists note (words text); truncate note; insert into note values ('${words}') returning upper(words)`,
        words,
      ),
    shows: (tab, words) => byKey(tab, 'select upper(words) from note', words),
  },
}
