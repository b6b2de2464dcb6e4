// WebDAV by Apache: the listing of a folder in the browser, and files by curl, with the session of the browser.
import assert from 'node:assert/strict'
import { effectMs, type Application, type Tab } from '../application.ts'
import { ask, filesBelow } from '../session-curl.ts'

async function click({ page }: Tab): Promise<void> {
  const before = page.url()
  await page.click('a:text-is("Name")', { timeout: effectMs })
  await page.waitForURL((url) => url.href !== before)
  await opened({ page })
}

async function opened({ page }: Pick<Tab, 'page'>): Promise<void> {
  await page.waitForSelector('h1:has-text("Index of")')
}

export const webdav: Application = {
  folder: 'webdav',
  title: 'WebDAV (Apache, curl)',
  version: `dpkg-query --show --showformat '\${Version}' apache2`,
  // Each click is a visit of another page.
  afterStop: { click },
  remarks: ['its page has nothing to type'],
  // oauth2-proxy answers 400 to a semicolon in the query of a person who is not signed in.
  link: () => '?F=1',
  opened,
  click,
  work: {
    async save(tab, words) {
      await ask(tab, 'note.txt', '--request', 'PUT', '--data-binary', words)
    },
    async shows(tab, words) {
      await tab.page.waitForSelector('a:text-is("note.txt")', { timeout: effectMs })
      assert.equal(await ask(tab, 'note.txt'), words)
    },
  },
  files: filesBelow(''),
}
