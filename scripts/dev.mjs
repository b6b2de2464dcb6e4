// @ts-check
// `npm run dev`: the demo, with both services running from the sources of this folder and restarted when a source changes.
// Like the demo, it is published on 127.0.0.1 only, behind the sign-in.
import { join } from 'node:path'
import { createCompose } from './compose.mjs'
import { prepareDemo } from './demo.mjs'
import { followLogs } from './follow-logs.mjs'
import { runScript } from './session.mjs'

const root = join(import.meta.dirname, '..')

let instance = ''
await runScript(async (progress) => {
  progress.line('Berth: the demo from the sources of this folder')
  const { settings, gateway } = await prepareDemo({ root, progress })
  instance = settings.instance
  const compose = createCompose({
    root,
    settings,
    gateway,
    env: {
      ...process.env,
      DEV_USER: `${process.getuid?.() ?? 1000}:${process.getgid?.() ?? 1000}`,
    },
    more: ['docker-compose.dev.yml'],
  })
  await progress.step(
    'services',
    // Does not wait until they are healthy: the log, which follows, shows a mistake in the sources.
    () => compose.call(['up', '--detach', '--build', 'idp', 'director', 'spawner']),
    () => 'started from the sources',
  )
  await progress.step(
    'gateway',
    () => compose.call(['up', '--detach', '--build', '--no-deps', 'gateway']),
    () => 'started',
  )
  progress.line(
    `\n  open     http://localhost:${settings.port}, and sign in as alice, with the password alice`,
  )
  progress.line(
    '  logs     follow here. Ctrl-C ends the logs, not the services: npm stop ends those.\n',
  )
})
if (process.exitCode === undefined)
  await followLogs({ root, instance, services: ['director', 'spawner'] })
