// @ts-check
// `npm start`: from a bare machine to a demo that answers. It can be run again at any time: it does only what is still missing.
// Runs on Node 20 with nothing installed, so it imports only Node's modules and other scripts.
import { join } from 'node:path'
import { createCompose } from './compose.mjs'
import { prepareDemo } from './demo.mjs'
import { formatElapsed } from './progress.mjs'
import { runScript } from './session.mjs'
import { lookAtServices } from './smoke-check.mjs'

const root = join(import.meta.dirname, '..')
await runScript(async (progress) => {
  progress.line('Berth: setting up the demo on this machine')
  const { settings, gateway } = await prepareDemo({ root, progress })
  const { port, sshPort } = settings
  const compose = createCompose({ root, settings, gateway, env: process.env })
  await progress.step(
    'services',
    (say) => compose.up(say),
    () => 'up and healthy',
  )
  await progress.step(
    'smoke check',
    (say) => lookAtServices(settings, say),
    () => 'every service answers',
  )

  progress.line()
  progress.line(`Berth is ready after ${formatElapsed(progress.elapsedMs())}.`)
  progress.line(`  open     http://localhost:${port} (and http://hello.localhost:${port})`)
  progress.line(
    `  portal   http://portal.localhost:${port} (what you have, and what you may start)`,
  )
  if (sshPort !== undefined)
    progress.line(
      `  ssh      ssh -p ${sshPort} alice+hello@localhost (once alice has signed in in the browser)`,
    )
  progress.line('  sign in  alice, with the password alice (also bob, carol and admin)')
  progress.line('  stop     npm stop       (people’s files stay; npm run reset removes them too)')
})
