// @ts-check
// Checks that every service answers, with the same requests as a browser on this machine.
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'

const LOOK_FOR_MS = 45_000
const REQUEST_TIMEOUT_MS = 5_000

/** @typedef {{ port: number, idpPort: number, instance: string }} Where */

/**
 * @param {Where} where
 * @param {import('./progress.mjs').Say} say
 */
export const lookAtServices = async (where, say) => {
  const until = Date.now() + LOOK_FOR_MS
  for (const { name, ask } of looks(where)) {
    say.passing(`asking the ${name}`)
    let problem = await problemOf(ask)
    while (problem !== undefined && Date.now() < until) {
      await sleep(500)
      problem = await problemOf(ask)
    }
    if (problem !== undefined) {
      throw new Failure(`the ${name} does not answer as expected: ${problem}`, {
        help: `See its log: docker logs $(docker ps -aq --filter label=berth.instance=${where.instance} --filter label=berth.role=${roleOf(name)})`,
      })
    }
  }
}

/** @param {Where} where */
const looks = ({ port, idpPort, instance }) => {
  const issuer = `http://idp.localhost:${idpPort}`
  return [
    { name: 'spawner', ask: () => healthOf(instance, 'spawner') },
    { name: 'director', ask: () => healthOf(instance, 'director') },
    {
      name: 'identity provider',
      async ask() {
        const { status, body } = await request(`${issuer}/.well-known/openid-configuration`)
        if (status !== 200) return `status ${status}`
        return JSON.parse(body).issuer === issuer ? undefined : 'its issuer is another address'
      },
    },
    {
      name: 'gateway',
      async ask() {
        const { status, location } = await request(`http://localhost:${port}/`)
        if (!location.startsWith(`${issuer}/`))
          return `status ${status}, and no redirect to the sign-in`
        const signIn = await request(location)
        return signIn.status < 400
          ? undefined
          : `the identity provider answers the sign-in with status ${signIn.status}`
      },
    },
  ]
}

/** @param {string} name */
const roleOf = (name) => (name === 'identity provider' ? 'idp' : name)

/** @param {() => Promise<string | undefined>} ask */
const problemOf = (ask) => ask().catch((/** @type {Error} */ error) => error.message)

/**
 * @param {string} instance
 * @param {string} role
 */
const healthOf = async (instance, role) => {
  const filters = [
    '--filter',
    `label=berth.instance=${instance}`,
    '--filter',
    `label=berth.role=${role}`,
  ]
  const { output } = await attempt('docker', ['ps', ...filters, '--format', '{{.Status}}'], {
    timeoutMs: REQUEST_TIMEOUT_MS,
  })
  const states = output.split('\n').filter(Boolean)
  if (states.length === 0) return 'it does not run'
  return states.every((state) => state.includes('(healthy)'))
    ? undefined
    : (states[0] ?? '').toLowerCase()
}

/**
 * Names below localhost mean this machine, whatever the resolver answers for them.
 * @param {string} address
 * @returns {Promise<{ status: number, location: string, body: string }>}
 */
const request = (address) => {
  const url = new URL(address)
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: url.port,
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, accept: 'text/html' },
      timeout: REQUEST_TIMEOUT_MS,
    }
    const asked = get(options, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (text) => (body += text))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', body }),
      )
    })
    asked.on('timeout', () =>
      asked.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`)),
    )
    asked.on('error', reject)
  })
}
