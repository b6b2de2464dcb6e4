// A person who uses a page with the keyboard alone.
import type { Page } from 'playwright-core'
import { eventually } from '../run/deadline.ts'

/** The name of what has the focus, as a screen reader says it. */
export async function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    'document.activeElement?.innerText?.replace(/\\s+/g, " ").trim() ?? ""',
  )
}

/** Goes to something with the Tab key, and presses it with Enter. */
export async function press(page: Page, name: string): Promise<void> {
  await eventually(`${name} is reached by Tab`, 30_000, async () => {
    for (let steps = 0; steps < 80; steps += 1) {
      if ((await focused(page)) === name) return true
      await page.keyboard.press('Tab')
    }
    return false
  })
  await page.keyboard.press('Enter')
}
