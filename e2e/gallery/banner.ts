// A person who comes back to the page of a stopped workspace, and gets on by Berth's banner in it (`banner` in its template).
import type { Application, Gesture, Tab } from './application.ts'

/** A start on a busy machine. */
const startMs = 110_000

/**
 * The first click or key has no effect but that it brings the workspace back. The page cannot go on by itself, so the person
 * presses the button of the banner.
 */
export function byBanner(opened: Application['opened']): { click: Gesture; type: Gesture } {
  const backBy =
    (act: (tab: Tab) => Promise<void>): Gesture =>
    async (tab) => {
      await act(tab)
      const again = { name: 'Load this page again' }
      await tab.page.locator('berth-banner').getByRole('button', again).click({ timeout: startMs })
      await tab.page.waitForSelector('berth-banner', { state: 'detached' })
      await opened(tab)
    }
  return {
    click: backBy(({ page }) => page.mouse.click(640, 400)),
    type: backBy(({ page }) => page.keyboard.type('ahoy')),
  }
}
