import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SettingsError } from '@berth/shared/settings'
import { policyConfig, readConfig, webSettings } from './config.ts'
import { spawnerSettings } from './settings.ts'
import type { Template } from './templates/template.ts'

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
  it('needs no more than an image, a prefix, a port and the secret', () => {
    const { settings, templates } = read({})
    const template = templates.get('lab')
    assert.equal(template?.spec.image, enough.CONTAINER_IMAGE)
    assert.equal(template.spec.home, undefined)
    assert.equal(template.policy.idleStopMs, 15 * 60_000)
    assert.equal(settings.INSTANCE, 'berth')
    assert.equal(settings.DOCKER_HOST, 'unix:///var/run/docker.sock')
  })

  it('is refused without the secret, with an error that names it', () => {
    assert.deepEqual(problemsOf({ INTERNAL_SECRET: undefined }), [
      'INTERNAL_SECRET is not set: the secret by which director and spawner recognise each other; at least 16 characters (example: INTERNAL_SECRET=the output of: openssl rand -hex 32)',
    ])
  })

  it('refuses a list of people that names nobody: without one everybody may use the template', () => {
    for (const name of ['CONTAINER_ALLOWED_GROUPS', 'CONTAINER_ALLOWED_USERS'])
      for (const value of [',', ' ', ' , ,'])
        assert.match(problemsOf({ [name]: value }).join(), new RegExp(`^${name} .* names nothing`))
  })

  it('is refused with a misspelt setting, which could leave access open to all', () => {
    assert.deepEqual(problemsOf({ CONTAINER_ALLOWED_GROUP: 'staff', MAX_WORKSPACE: '3' }), [
      'CONTAINER_ALLOWED_GROUP is not a setting of Berth. Did you mean CONTAINER_ALLOWED_GROUPS?',
      'MAX_WORKSPACE is not a setting of Berth. Did you mean MAX_WORKSPACES?',
    ])
  })

  it('takes the settings of the other services in the same file', () => {
    const others = { MAX_CONNECTIONS_PER_USER: '9', GATEWAY_COOKIES: 'x', TEMPLATES_FOLDER: './t' }
    assert.deepEqual(problemsOf(others), [])
  })

  it('has the init of the engine as process 1, unless CONTAINER_INIT says no', () => {
    const initOf = (env: Record<string, string>) => read(env).templates.get('lab')?.spec.init
    assert.equal(initOf({}), true)
    assert.equal(initOf({ CONTAINER_INIT: 'false' }), false)
    assert.equal(initOf({ CONTAINER_INIT: 'true' }), true)
    assert.match(problemsOf({ CONTAINER_INIT: 'no' }).join(), /^CONTAINER_INIT/)
  })

  it('passes on variables of the container whatever characters their names have', () => {
    const { templates } = read({
      'CONTAINER_ENV_spring.datasource-url': 'a',
      CONTAINER_ENV_1st: 'b',
    })
    assert.deepEqual(templates.get('lab')?.spec.environment, {
      'spring.datasource-url': 'a',
      '1st': 'b',
    })
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

  it('fills variables into the templates file, but no secret and nothing that is about its own process', () => {
    const { variables } = read({
      TZ: 'UTC',
      API_TOKEN: 'a-token-of-the-tests-alone',
      HOME: '/root',
    })
    assert.deepEqual(variables('TZ'), { value: 'UTC' })
    assert.deepEqual(variables('NONE'), { value: undefined })
    for (const name of ['INTERNAL_SECRET', 'API_TOKEN']) {
      const refused = variables(name)
      assert.match('complaint' in refused ? refused.complaint : '', /is a secret of Berth/, name)
    }
    const home = variables('HOME')
    assert.match('complaint' in home ? home.complaint : '', /is not filled in here: write \$\$HOME/)
  })

  it('refuses a prefix that is the name of the instance', () => {
    assert.match(problemsOf({ INSTANCE: 'lab' }).join(), /CONTAINER_HOST_PREFIX "lab" must differ/)
  })

  it('refuses another volume at the path of the home', () => {
    const env = { CONTAINER_HOME: '/home/me', CONTAINER_VOLUMES: 'data:/home/me' }
    assert.match(problemsOf(env).join(), /CONTAINER_HOME has already/)
  })

  it('collects the environment variables of the container by their own names', () => {
    const { templates } = read({
      CONTAINER_ENV_NB_USER: '{user}',
      CONTAINER_ENV_lower: 'x',
      CONTAINER_ENV_EMPTY: '',
      CONTAINER_ENV_: 'y',
    })
    assert.deepEqual(templates.get('lab')?.spec.environment, { NB_USER: '{user}', lower: 'x' })
  })

  it('sets a variable of the container that is named __proto__', () => {
    const { templates } = read({ CONTAINER_ENV___proto__: 'x', CONTAINER_ENV_constructor: 'y' })
    assert.deepEqual(Object.entries(templates.get('lab')?.spec.environment ?? {}), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })

  it('accepts the example of each variable', () => {
    const companions: Readonly<Record<string, Record<string, string>>> = {
      CONTAINER_EXTENSION: { CONTAINER_MAX_LIFETIME: '12h' },
      CONTAINER_SEATS_TOTAL: { CONTAINER_SEATS: '10' },
    }
    for (const [name, setting] of Object.entries(spawnerSettings))
      assert.deepEqual(problemsOf({ ...companions[name], [name]: setting.example }), [], name)
  })

  it('needs a complete template, or none if templates come from elsewhere', () => {
    const none = { CONTAINER_IMAGE: '', CONTAINER_HOST_PREFIX: '', CONTAINER_PORT: '' }
    for (const name of ['TEMPLATES_FILE', 'IMAGES_ALLOWED'] as const) {
      const elsewhere = { ...none, [name]: spawnerSettings[name].example }
      assert.equal(read(elsewhere).templates.size, 0)
      assert.match(
        problemsOf({ ...elsewhere, CONTAINER_IMAGE: 'berth/lab' }).join(),
        /CONTAINER_HOST_PREFIX is not set.*CONTAINER_PORT is not set/,
      )
    }
    assert.deepEqual(
      problemsOf(none).map((problem) => problem.split(' ')[0]),
      ['CONTAINER_IMAGE', 'CONTAINER_HOST_PREFIX', 'CONTAINER_PORT'],
    )
  })

  for (const pattern of [
    `berth/hello@sha256:${'0'.repeat(64)}`,
    `berth/hello:1@sha256:${'0'.repeat(64)}`,
    'berth/*@sha256:*',
    `sha256:${'0'.repeat(64)}`,
  ])
    it(`refuses ${pattern.slice(0, 24)} in IMAGES_ALLOWED and says what to write instead`, () => {
      const [problem = '', ...more] = problemsOf({ IMAGES_ALLOWED: `berth/lab:1,${pattern}` })
      assert.deepEqual(more, [])
      assert.match(problem, /^IMAGES_ALLOWED .* has "/)
      assert.ok(problem.includes(pattern), problem)
      assert.match(problem, /digest.*write the name and tag.*TEMPLATES_FILE/)
    })

  const refused: readonly [why: string, env: Record<string, string>, problem: RegExp][] = [
    [
      'a duration without a unit',
      { CONTAINER_IDLE_STOP: '30' },
      /^CONTAINER_IDLE_STOP "30" has no unit \(30s, 30m …\), and must be a duration from 2s to 366d, or 0 for off \(example: CONTAINER_IDLE_STOP=15m\)/,
    ],
    [
      'a duration whose last part has no unit',
      { KEEP_HOMES: '1h30' },
      /^KEEP_HOMES "1h30" has no unit \(1h30s, 1h30m …\), and must be a duration from 1h to 3660d/,
    ],
    [
      'a history of minutes',
      { HISTORY_KEEP: '5m' },
      /^HISTORY_KEEP "5m" must be a duration from 1h/,
    ],
    [
      'a step of the idle ladder that is shorter than an earlier one',
      { CONTAINER_IDLE_FREEZE: '20m' },
      /^CONTAINER_IDLE_STOP must not be shorter than CONTAINER_IDLE_FREEZE \(20m\)/,
    ],
    [
      'a standby whose command names its owner',
      { CONTAINER_STANDBY: '2', CONTAINER_COMMAND: 'serve {username}' },
      /^CONTAINER_COMMAND names a person by \{username\}/,
    ],
    [
      'a personal home in a shared workspace',
      { CONTAINER_SEATS: '10', CONTAINER_HOME: '/home/me' },
      /^CONTAINER_HOME belongs to one person, but several people share/,
    ],
    [
      'a variable that names a person in a shared workspace',
      { CONTAINER_SEATS: '0', CONTAINER_ENV_WHO: '{email}' },
      /^CONTAINER_ENV_WHO names a person by \{email\}/,
    ],
    [
      'a portal with the host name of the workspaces',
      { PUBLIC_URL: 'https://berth.example.com', PORTAL_URL: 'https://berth.example.com:8443' },
      /^PORTAL_URL https:\/\/berth\.example\.com:8443 has the host name of PUBLIC_URL/,
    ],
    [
      'a command that names the host, without PUBLIC_URL',
      { CONTAINER_COMMAND: 'serve --allowed-hosts {host}' },
      /^CONTAINER_COMMAND contains \{host\}, and the address of this template is not known: PUBLIC_URL is not set/,
    ],
    [
      'a path to open that names the address, without one host name',
      {
        PUBLIC_URL: 'https://berth.example.com',
        CONTAINER_HOSTS: '*.example.com',
        CONTAINER_OPEN: '/?from={origin}',
      },
      /^CONTAINER_OPEN contains \{origin\}.*CONTAINER_HOSTS has no host name without \*\./,
    ],
    [
      'a standby of a shared workspace',
      { CONTAINER_SEATS: '10', CONTAINER_STANDBY: '1' },
      /^CONTAINER_STANDBY is for private workspaces only/,
    ],
    [
      'a total of seats for private workspaces',
      { CONTAINER_SEATS_TOTAL: '20' },
      /^CONTAINER_SEATS_TOTAL is for shared workspaces only/,
    ],
    [
      'a total of seats that is less than the seats of a workspace',
      { CONTAINER_SEATS_TOTAL: '5', CONTAINER_SEATS: '10' },
      /^CONTAINER_SEATS_TOTAL must not be less than CONTAINER_SEATS \(10\)/,
    ],
    [
      'a container without a memory limit if there is a limit for all',
      { CONTAINER_MEMORY: '0', MAX_MEMORY: '48g' },
      /^CONTAINER_MEMORY must be set.*MAX_MEMORY/,
    ],
    [
      'a container with more memory than all may have',
      { CONTAINER_MEMORY: '64g', MAX_MEMORY: '48g' },
      /^CONTAINER_MEMORY must not be more than.*MAX_MEMORY/,
    ],
    [
      'an extension without a maximum lifetime',
      { CONTAINER_EXTENSION: '2h' },
      /^CONTAINER_EXTENSION has nothing to extend: CONTAINER_MAX_LIFETIME/,
    ],
  ]
  for (const [why, env, problem] of refused)
    it(`refuses ${why}`, () => {
      const problems = problemsOf(env)
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', problem)
    })

  const fields: readonly [name: string, text: string, of: (t: Template) => unknown, is: unknown][] =
    [
      ['CONTAINER_TITLE', 'The lab', (t) => t.title, 'The lab'],
      ['CONTAINER_DESCRIPTION', 'Notebooks', (t) => t.description, 'Notebooks'],
      [
        'CONTAINER_HOSTS',
        'Lab.example.com, *.x.org',
        (t) => t.route.hosts,
        ['lab.example.com', '*.x.org'],
      ],
      ['CONTAINER_OPEN', '/vnc.html', (t) => t.open, '/vnc.html'],
      ['CONTAINER_EGRESS', 'none', (t) => t.spec.egress, 'none'],
      ['CONTAINER_START_BY', 'click', (t) => t.policy.startsBy, 'click'],
      ['CONTAINER_IDLE_FREEZE', '5m', (t) => t.policy.idleFreezeMs, 300_000],
      ['CONTAINER_ACTIVITY_PATH', '/api/status', (t) => t.policy.activityPath, '/api/status'],
      ['CONTAINER_BUSY_CPU', '12.5', (t) => t.policy.busyCpuPercent, 12.5],
      ['CONTAINER_BUSY_AT_MOST', '2h', (t) => t.policy.busyAtMostMs, 7_200_000],
      ['CONTAINER_DRAIN_AFTER', '12h', (t) => t.policy.drainAfterMs, 43_200_000],
      ['CONTAINER_SEATS', '0', (t) => t.policy.seats, 0],
      ['CONTAINER_SEATS', '0', (t) => t.passIdentity, ['user', 'subject', 'groups', 'email']],
      ['CONTAINER_SEATS', '1', (t) => t.passIdentity, []],
      ['CONTAINER_SEAT_IDLE', '1h', (t) => t.policy.seatIdleMs, 3_600_000],
      ['CONTAINER_SEAT_PERSISTS', 'false', (t) => t.policy.persistBetweenReconnects, false],
      ['CONTAINER_STANDBY', '3', (t) => t.policy.standby, 3],
      ['CONTAINER_PASS_IDENTITY', 'user, groups', (t) => t.passIdentity, ['user', 'groups']],
      ['CONTAINER_PASS_TOKENS', 'id', (t) => t.passTokens, ['id']],
    ]
  for (const [name, text, of, is] of fields)
    it(`takes ${name}=${text}`, () => {
      const template = read({ [name]: text }).templates.get('lab')
      assert.ok(template)
      assert.deepEqual(of(template), is)
    })

  it('makes a lease at most a quarter of the shortest idle step, with a margin over the reports', () => {
    const config = read({ CONTAINER_IDLE_STOP: '20s', CONTAINER_IDLE_REMOVE: '1h' })
    const { settings, templates } = config
    const { lease, limits, networkCount } = policyConfig(settings, templates, {
      specOf: () => '',
      partsOf: () => '',
    })
    assert.equal(lease.leaseMs, 5_000)
    assert.ok(lease.marginMs > lease.leaseMs / 4)
    assert.equal(limits.maxStarting, 4)
    assert.equal(networkCount, 4_096)
  })

  it('passes the limits to the policy', () => {
    const { settings, templates } = read({
      MAX_MEMORY: '48g',
      EVICT_FROZEN: 'false',
      KEEP_HOMES: '720h',
      KEEP_HOMES_DRY_RUN: 'false',
    })
    const { limits } = policyConfig(settings, templates, { specOf: () => '', partsOf: () => '' })
    assert.equal(limits.maxMemoryBytes, 48 * 1024 ** 3)
    assert.equal(limits.evictsFrozen, false)
    assert.equal(limits.keepHomesMs, 720 * 3_600_000)
    assert.equal(limits.keepHomesDryRun, false)
  })

  it('passes the settings of the pages on, without printing a secret', () => {
    const settings = webSettings(read({ SITE_TITLE: 'Labs' }).settings)
    assert.equal(settings.siteTitle, 'Labs')
    assert.ok(!JSON.stringify(settings).includes(enough.INTERNAL_SECRET))
  })
})
