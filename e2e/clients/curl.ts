// The real curl, for clients that people have in scripts.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface CurlAnswer {
  readonly status: number
  readonly body: string
}

/** @param options as one would write them on a command line, after `curl` */
export async function curl(...options: string[]): Promise<CurlAnswer> {
  const { stdout } = await run('curl', [
    '--silent',
    '--show-error',
    ...['--max-time', '120', '--write-out', '\n%{http_code}'],
    ...options,
  ])
  const at = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) }
}
