// @ts-check
// Checks that the ports which the demo publishes are free, and says what to do if they are not.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'

/** @typedef {{ variable: string, port: number, what: string }} WantedPort */

/**
 * @param {readonly WantedPort[]} wanted
 * @param {string} instance its own containers may already use the ports
 */
export const checkPorts = async (wanted, instance) => {
  if (new Set(wanted.map(({ port }) => port)).size < wanted.length) {
    throw new Failure(`${wanted.map(({ variable }) => variable).join(' and ')} name the same port`)
  }
  const problems = []
  for (const { variable, port, what } of wanted) {
    if (await isFree(port)) continue
    const holders = await containersOn(port)
    if (holders.some((holder) => holder.instance === instance)) continue
    problems.push({ variable, port, what, holder: holders[0]?.name })
  }
  if (problems.length > 0) throw portFailure(problems)
}

/** @param {readonly (WantedPort & { holder?: string | undefined })[]} taken */
export const portFailure = (taken) =>
  new Failure(
    taken
      .map(
        ({ port, what, holder }) =>
          `port ${port}, for ${what}, is taken${holder ? ` by the container ${holder}` : ''}`,
      )
      .join('\n'),
    {
      help: `End the program that uses it, or choose another port: ${taken.map(({ variable, port }) => `${variable}=${port + 1000 > 65_535 ? port - 1000 : port + 1000}`).join(' ')} npm start`,
    },
  )

/** @param {number} port */
const isFree = async (port) => {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code === 'EADDRINUSE') return false
    throw new Failure(`port ${port} cannot be used: ${message}`)
  }
  server.close()
  await once(server, 'close')
  return true
}

/** @param {number} port */
const containersOn = async (port) => {
  const format = '{{.Names}}\t{{.Label "berth.instance"}}'
  const { output } = await attempt(
    'docker',
    ['ps', '--filter', `publish=${port}`, '--format', format],
    { timeoutMs: 20_000 },
  )
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name, instance] = line.split('\t')
      return { name, instance }
    })
}
