// Images that differ only in their labels. They are built in moments, and removed with the test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { run } from '../run/command.ts'

export interface LabelledImages extends AsyncDisposable {
  /** @param environment in addition to that of the image */
  make(
    name: string,
    labels: Readonly<Record<string, string>>,
    environment?: Readonly<Record<string, string>>,
  ): Promise<void>
}

/** @param from an image that is there already @param repository what the names begin with, such as `tests-1/` */
export function labelledImages(from: string, repository: string): LabelledImages {
  const made: string[] = []
  return {
    async make(name, labels, environment = {}) {
      const lines = [
        `FROM ${from}`,
        ...Object.entries(environment).map(([key, value]) => `ENV ${key}=${value}`),
        ...Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`),
      ]
      made.push(`${repository}${name}`)
      await build(`${repository}${name}`, lines.join('\n'))
    },
    [Symbol.asyncDispose]: takenDownAtTheEnd(async () => {
      if (made.length > 0) await run('docker', ['image', 'rm', '--force', ...made])
    }),
  }
}

/** Builds from a Dockerfile without a build context. */
export async function build(tag: string, dockerfile: string, withinMs = 120_000): Promise<void> {
  const child = spawn('docker', ['build', '--quiet', '--tag', tag, '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: withinMs,
  })
  let words = ''
  child.stderr.on('data', (chunk) => (words += String(chunk)))
  child.stdin.on('error', () => child.kill())
  child.stdin.end(dockerfile)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`docker build of ${tag} ended with ${code}: ${words}`)
}
