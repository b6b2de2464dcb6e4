// curl with the session of the browser, for what a person's programs do without one.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { curl } from '../clients/curl.ts'
import type { Files, Tab } from './application.ts'

/** @returns the body of the answer */
export async function ask(
  { page, root }: Tab,
  path: string,
  ...options: string[]
): Promise<string> {
  const { host, hostname, port } = new URL(root)
  const cookies = await page.context().cookies(root)
  const answer = await curl(
    ...['--resolve', `${hostname}:${port}:127.0.0.1`, '--header', `host: ${host}`],
    ...['--cookie', cookies.map(({ name, value }) => `${name}=${value}`).join('; ')],
    ...options,
    root + path,
  )
  if (answer.status >= 300)
    throw new Error(`curl got ${answer.status}: ${answer.body.slice(0, 200)}`)
  return answer.body
}

/** Files in a folder that takes them by PUT and gives them by GET. */
export const filesBelow = (folder: string): Files => ({
  async upload(tab, file) {
    await ask(tab, folder + file.name, '--upload-file', file.path)
  },
  async download(tab, name) {
    const local = await mkdtemp(join(tmpdir(), 'berth-curl-'))
    try {
      await ask(tab, folder + name, '--output', join(local, name))
      return await readFile(join(local, name))
    } finally {
      await rm(local, { recursive: true })
    }
  },
})
