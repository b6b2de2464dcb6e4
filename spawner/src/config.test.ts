import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SettingsError } from '@berth/shared/settings'
import { policyConfig, readConfig, spawnerSettings, webSettings } from './config.ts'

const enough = {
  INTERNAL_SECRET: '0123456789abcdef',
  CONTAINER_IMAGE: 'quay.io/jupyter/minimal-notebook:latest',
  CONTAINER_HOST_PREFIX: 'lab',
  CONTAINER_PORT: '8888',
}
const noFile = (path: string): string => {
  throw new Error(`there is no ${path}`)
}
const read = (env: Record<string, string>) => readConfig({ ...enough, ...env }, noFile)

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig({ ...enough, ...env }, noFile)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

describe('the configuration of the spawner', () => {
  it('is complete with an image, a prefix, a port and the secret', () => {
    const { settings, templates } = read({})
    const template = templates.get('lab')
    assert.equal(template?.spec.image, enough.CONTAINER_IMAGE)
    assert.equal(template.spec.home, undefined)
    assert.equal(template.policy.idleStopMs, 15 * 60_000)
    assert.equal(settings.INSTANCE, 'berth')
    assert.equal(settings.DOCKER_HOST, 'unix:///var/run/docker.sock')
  })

  it('does not start without the secret, and says so', () => {
    assert.deepEqual(problemsOf({ INTERNAL_SECRET: undefined }), [
      'INTERNAL_SECRET is not set: what director and spawner know each other by; at least 16 characters (example: INTERNAL_SECRET=the output of: openssl rand -hex 32)',
    ])
  })

  it('names every problem at once, each with its variable', () => {
    const problems = problemsOf({
      CONTAINER_PORT: '70000',
      CONTAINER_HOST_PREFIX: 'my-lab',
      CONTAINER_COMMAND: 'start --user={nobody}',
      CONTAINER_ENV_GREETING: 'hi {who}',
      CONTAINER_HOME: 'home',
      CONTAINER_HOME_VOLUME: 'everybody',
      CONTAINER_VOLUMES: '/etc:/etc',
      CONTAINER_IDLE_STOP: '1h',
      CONTAINER_IDLE_REMOVE: '30m',
      CONTAINER_BACKGROUND_REQUESTS: 'api',
      MAX_QUEUE: 'many',
      DOCKER_HOST: '/var/run/docker.sock',
    })
    const named = problems.map((problem) => problem.split(' ')[0]).sort()
    assert.deepEqual(named, [
      'CONTAINER_BACKGROUND_REQUESTS',
      'CONTAINER_COMMAND',
      'CONTAINER_ENV_GREETING',
      'CONTAINER_HOME',
      'CONTAINER_HOME_VOLUME',
      'CONTAINER_HOST_PREFIX',
      'CONTAINER_IDLE_REMOVE',
      'CONTAINER_PORT',
      'CONTAINER_VOLUMES',
      'DOCKER_HOST',
      'MAX_QUEUE',
    ])
  })

  it('refuses a prefix that is the name of the instance', () => {
    assert.match(problemsOf({ INSTANCE: 'lab' }).join(), /CONTAINER_HOST_PREFIX "lab" must differ/)
  })

  it('refuses a further volume at the path of the home', () => {
    const env = { CONTAINER_HOME: '/home/me', CONTAINER_VOLUMES: 'data:/home/me' }
    assert.match(problemsOf(env).join(), /CONTAINER_HOME has already/)
  })

  it('collects the variables of the container by their own names', () => {
    const { templates } = read({
      CONTAINER_ENV_NB_USER: '{user}',
      CONTAINER_ENV_lower: 'x',
      CONTAINER_ENV_EMPTY: '',
      'CONTAINER_ENV_not-a-name': 'y',
    })
    assert.deepEqual(templates.get('lab')?.spec.environment, { NB_USER: '{user}', lower: 'x' })
  })

  it('takes each variable’s own example', () => {
    for (const [name, setting] of Object.entries(spawnerSettings)) {
      if (name === 'INTERNAL_SECRET') continue
      assert.deepEqual(problemsOf({ [name]: setting.example }), [], name)
    }
  })

  it('gives a lease of at most a quarter of the shortest idle step, and a margin over the reports', () => {
    const config = read({ CONTAINER_IDLE_STOP: '20s', CONTAINER_IDLE_REMOVE: '1h' })
    const { lease, limits, networkCount } = policyConfig(config, () => '')
    assert.equal(lease.leaseMs, 5_000)
    assert.ok(lease.marginMs > lease.leaseMs / 4)
    assert.equal(limits.maxStarting, 4)
    assert.equal(networkCount, 4_096)
  })

  it('tells the pages what they show, and prints no secret', () => {
    const settings = webSettings(read({ SITE_TITLE: 'Labs' }).settings)
    assert.equal(settings.siteTitle, 'Labs')
    assert.ok(!JSON.stringify(settings).includes(enough.INTERNAL_SECRET))
  })
})
