// WebDAV by Apache: the listing of a folder in the browser, and files by curl, with the session of the browser.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { curl } from '../../clients/curl.ts'
import { effectMs, type Application, type Tab } from '../application.ts'

/** curl with the person's session, at a file of the folder. */
async function dav({ page, root }: Tab, name: string, ...options: string[]): Promise<string> {
  const { host, hostname, port } = new URL(root)
  const cookies = await page.context().cookies(root)
  const answer = await curl(
    ...['--resolve', `${hostname}:${port}:127.0.0.1`, '--header', `host: ${host}`],
    ...['--cookie', cookies.map(({ name, value }) => `${name}=${value}`).join('; ')],
    ...options,
    root + name,
  )
  if (answer.status >= 300)
    throw new Error(`curl got ${answer.status}: ${answer.body.slice(0, 200)}`)
  return answer.body
}

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
      await dav(tab, 'note.txt', '--request', 'PUT', '--data-binary', words)
    },
    async shows(tab, words) {
      await tab.page.waitForSelector('a:text-is("note.txt")', { timeout: effectMs })
      assert.equal(await dav(tab, 'note.txt'), words)
    },
  },
  files: {
    async upload(tab, file) {
      await dav(tab, file.name, '--upload-file', file.path)
    },
    async download(tab, name) {
      const folder = await mkdtemp(join(tmpdir(), 'berth-webdav-'))
      try {
        await dav(tab, name, '--output', join(folder, name))
        return await readFile(join(folder, name))
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  },
}
