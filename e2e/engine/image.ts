// Images that only the tests need, built from a folder of `images/`. The engine's cache makes further builds short.
import { join } from 'node:path'
import { run } from '../run/command.ts'

export async function buildImage(folder: string): Promise<string> {
  const name = `berth/e2e-${folder}`
  const context = join(import.meta.dirname, '../images', folder)
  await run('docker', ['build', '--quiet', '--tag', name, context], { withinMs: 300_000 })
  return name
}
