// What the proof of the gallery needs to know of an application: how a person works with it in a browser.
import type { Locator, Page } from 'playwright-core'
import { eventually } from '../run/deadline.ts'

/** A page of the browser at an application. */
export interface Tab {
  readonly page: Page
  /** Where the application is served; ends in a slash. */
  readonly root: string
}

/** Every method resolves once the page shows the effect, and rejects after `effectMs` otherwise. */
export interface Application {
  /** The folder in `gallery/`. */
  readonly folder: string
  readonly title: string
  /** A command in the image that prints the version. */
  readonly version: string
  /** The address that is opened, below the root. */
  link(root: string): string
  /** Waits after a navigation to the link until a person can work. */
  opened(tab: Tab): Promise<void>
  /** A click that has an effect only with the help of the server. */
  readonly click?: Gesture
  /** Typing that has an effect only with the help of the server. */
  readonly type?: Gesture
  readonly work?: Work
  readonly files?: Files
  /** The gestures by which a person gets on with an open page after a stop. A reload always helps. */
  readonly afterStop: { readonly click?: Gesture; readonly type?: Gesture }
  /** How long after the last input the page sends something by itself that is use. It is stopped that much later. */
  readonly restsAfterMs?: number
  /** For the table: what it cannot do, and why. */
  readonly remarks: readonly string[]
}

export type Gesture = (tab: Tab, words: string) => Promise<void>

/** The work of a person, where the application keeps it. */
export interface Work {
  save(tab: Tab, words: string): Promise<void>
  /** Waits, on a page that was just opened, until it shows the words that were saved last. */
  shows(tab: Tab, words: string): Promise<void>
}

export interface Files {
  upload(tab: Tab, file: LocalFile): Promise<void>
  download(tab: Tab, name: string): Promise<Buffer>
}

/** A file of this machine. */
export interface LocalFile {
  readonly name: string
  readonly path: string
  readonly bytes: number
}

/** How long a page may take for the effect of what a person does. */
export const effectMs = 20_000

/** The content of the file that the browser downloads when `act` is done. */
export async function downloaded(page: Page, act: () => Promise<void>): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()])
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Asks as a script of the page does. */
export async function fetchJson<T>(page: Page, url: string): Promise<T> {
  const text = await page.evaluate(async (address) => (await fetch(address)).text(), url)
  return JSON.parse(text) as T
}

/** Waits until the text at a place of the page is another one than before `act`. */
export async function changed(place: Locator, act: () => Promise<void>): Promise<void> {
  const read = async (): Promise<string> => (await place.allTextContents()).join('\n')
  const before = await read()
  await act()
  await eventually(`the text changes: ${before.slice(0, 80)}`, effectMs, async () => {
    const now = await read()
    return now !== '' && now !== before
  })
}
