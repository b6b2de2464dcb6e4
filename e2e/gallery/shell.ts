// A person at a shell in the browser.
import type { Gesture, Tab, Work } from './application.ts'

export interface Screen {
  /** Types the line and the Enter key. */
  readonly enter: (tab: Tab, line: string) => Promise<void>
  /** Waits until the screen shows the words. */
  readonly shown: (tab: Tab, words: string) => Promise<void>
}

/** What is typed appears reversed, so that its echo is not taken for the answer of the shell. */
export function shellOn({ enter, shown }: Screen): { readonly type: Gesture; readonly work: Work } {
  const answered = async (tab: Tab, line: string, words: string): Promise<void> => {
    await enter(tab, line)
    await shown(tab, [...words].reverse().join(''))
  }
  return {
    type: (tab, words) => answered(tab, `echo ${words} | rev`, words),
    work: {
      save: (tab, words) => answered(tab, `echo ${words} > note; rev note`, words),
      shows: (tab, words) => answered(tab, 'rev note', words),
    },
  }
}
