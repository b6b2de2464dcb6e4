// Starts as the environment says: at once, late, with 503 for a while, or not at all.
import { homedir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHello } from './server.ts'

const { env } = process
const numberFrom = (name: string, fallback: number): number => Number(env[name] || fallback)

if (env['HELLO_EXIT']) {
  process.stderr.write(
    'hello: reading the configuration\n' +
      'hello: \u001B[31mcannot go on\u001B[0m, a <b>setting</b> & its "value" are wrong\n' +
      `hello: leaving with code ${env['HELLO_EXIT']}\n`,
  )
  process.exit(numberFrom('HELLO_EXIT', 1))
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (!env['HELLO_IGNORE_TERM']) process.exit(0)
  })
}

const startDelayMs = numberFrom('HELLO_START_DELAY', 0)
if (startDelayMs > 0) await sleep(startDelayMs)

const server = createHello({
  home: env['HOME'] ?? homedir(),
  env,
  readyAt: performance.now() + numberFrom('HELLO_READY_DELAY', 0),
  now: () => performance.now(),
  exit: (code) => process.exit(code),
  print: (line) => process.stdout.write(`${line}\n`),
})
const keepAliveMs = numberFrom('HELLO_KEEP_ALIVE', server.keepAliveTimeout)
server.keepAliveTimeout = keepAliveMs
server.listen(numberFrom('HELLO_PORT', 8080), () => {
  const now = new Date().toISOString()
  process.stdout.write(`hello: listening since ${now}, after ${Math.round(performance.now())} ms\n`)
})
