// Records what the loading page shows, inside the browser at each change.
import type { Page } from 'playwright-core'

export interface SeenPhase {
  readonly phase: string
  readonly title: string
  readonly fragment: string
}

export interface FollowedPhases {
  /** One entry for each change, of all loading pages. */
  readonly seen: readonly SeenPhase[]
  /** The initial fragment of each document that is not a page of Berth. */
  readonly fragments: readonly string[]
}

/** From the next navigation on. */
export async function followPhases(page: Page): Promise<FollowedPhases> {
  const seen: SeenPhase[] = []
  const fragments: string[] = []
  await page.exposeFunction('tellPhase', (phase: string, title: string, fragment: string) => {
    const last = seen.at(-1)
    if (last?.phase === phase && last.title === title) return
    seen.push({ phase, title, fragment })
  })
  await page.exposeFunction('tellFragment', (fragment: string) => void fragments.push(fragment))
  await page.addInitScript({ content: noteInPage })
  return { seen, fragments }
}

/** Runs in the browser before the scripts of the page. */
const noteInPage = `
  const fragment = location.hash
  document.addEventListener('DOMContentLoaded', () => {
    const note = () => {
      const { phase } = document.body.dataset
      if (phase !== undefined) tellPhase(phase, document.title, location.hash)
    }
    if (document.body.dataset.phase === undefined) tellFragment(fragment)
    note()
    new MutationObserver(note).observe(document.documentElement, {
      attributes: true, childList: true, subtree: true, characterData: true,
    })
  })
`
