// Starts oauth2-proxy with the structured configuration that follows from its variables. If that cannot be made, it
// starts with the variables alone, as it did before: the director accepts both.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cookieFaults } from './cookie-faults.ts'
import { loggingEnvironment } from './logging-environment.ts'
import { structured } from './structured.ts'

const program = '/bin/oauth2-proxy'
const args = process.argv.slice(2)
/** On a tmpfs: it has the client's secret. */
const file = '/run/oauth2-proxy/config.json'

function run(...more: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, [...args, ...more], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (status === 0) return stdout
  // Its last line is the reason; the list of all its flags may come before.
  throw error ?? new Error(stderr.trim().split('\n').at(-1))
}

/** @returns further arguments */
function configure(): string[] {
  if (args.some((arg) => /^--?alpha-config(=|$)/.test(arg))) return []
  try {
    writeFileSync(file, structured(run('--convert-config-to-alpha'), process.env), { mode: 0o600 })
    const chosen = ['--alpha-config', file]
    run(...chosen, '--config-test')
    return chosen
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(
      `gateway: oauth2-proxy starts with its variables alone, so paths such as /a%2F/b are redirected, applications get no Authorization, and a client's own X-Forwarded-For is believed: ${why}\n`,
    )
    return []
  }
}

const faults = cookieFaults(args, process.env)
if (faults.length > 0) {
  process.stderr.write(faults.map((fault) => `gateway: ${fault}\n`).join(''))
  process.exit(1)
}

process.execve?.(program, [program, ...args, ...configure()], loggingEnvironment(process.env))
