// A page as people have it: narrow and wide, light and dark.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { obstaclesIn } from './axe.ts'
import { keepScreenshot } from './browser.ts'

const sizes = [
  { width: 320, height: 640 },
  { width: 768, height: 1024 },
  { width: 1440, height: 900 },
]

/** On each screen the page has no obstacle, and does not scroll sideways. @param title of its screenshots */
export async function expectFitOnEveryScreen(page: Page, title: string): Promise<void> {
  for (const size of sizes)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(size)
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const name = `${title}-${size.width}-${colorScheme}`
      assert.deepEqual(await obstaclesIn(page), [], name)
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        true,
        `${name} does not scroll sideways`,
      )
      await keepScreenshot(page, name)
    }
}
