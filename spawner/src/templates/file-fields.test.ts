import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTemplatesFile } from './read-templates-file.ts'
import { basePath, type Template } from './template.ts'
import { fileContext } from './testing/file-context.ts'

const context = fileContext({
  bindsAllowed: ['/srv'],
  readBeside: (path) => {
    if (path.endsWith('own.json')) return '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n'
    if (path === 'gone.env') throw new Error('there is no gone.env')
    return path.endsWith('.env') ? `FROM=${path}\nZONE=$TZ\nJSON='{"a": 1}'\n` : `of ${path}`
  },
  variables: (name) => ({ value: name === 'TZ' ? 'UTC' : name === 'PIDS' ? '' : undefined }),
})
const minute = 60_000

/** A template with an image, the given fields, and a port unless only SSH leads to it. */
function read(more: string, top = ''): Template {
  const port = more.startsWith('kind: ssh') ? '' : ', port: 8888'
  const text = `${top}\ntemplates:\n  lab: { image: berth/lab${port}${more === '' ? '' : `, ${more}`} }\n`
  const result = readTemplatesFile(text, context)
  assert.deepEqual('problems' in result ? result.problems : [], [])
  assert.ok('templates' in result)
  const [template] = result.templates
  assert.ok(template)
  return template
}

describe('a field of a template in the file', () => {
  const everything: readonly [written: string, of: (t: Template) => unknown, is: unknown][] = [
    ['', (t) => [t.name, t.prefix, t.title, t.source], ['lab', 'lab', 'lab', 'file']],
    ['', (t) => [t.spec.image, t.spec.port], ['berth/lab', 8888]],
    ['kind: web', (t) => t.kind, 'web'],
    ['title: The lab', (t) => t.title, 'The lab'],
    ['description: Notebooks', (t) => t.description, 'Notebooks'],
    ['icon: "https://x.org/i.png"', (t) => t.icon, 'https://x.org/i.png'],
    ['icon: "data:image/png;base64,AAAA"', (t) => t.icon, 'data:image/png;base64,AAAA'],
    ['prefix: jup', (t) => [t.name, t.prefix], ['lab', 'jup']],
    ['command: sh -c "a b"', (t) => t.spec.command, ['sh', '-c', 'a b']],
    ['command: [sh, "a b", 7]', (t) => t.spec.command, ['sh', 'a b', '7']],
    ['environment: { A: x, B: 1, C: "" }', (t) => t.spec.environment, { A: 'x', B: '1', C: '' }],
    [
      'environment: { A: 1.10, B: 00123456, C: yes, D: 0x10, E: 1e3, F: 2024-01-02, G: True, H: +1, I: 0o17, J: .inf, K: 1_000, L: 12345678901234567890, M: 0.10, N: 1:30, O: -0 }',
      (t) => Object.values(t.spec.environment).join(' '),
      '1.10 00123456 yes 0x10 1e3 2024-01-02 True +1 0o17 .inf 1_000 12345678901234567890 0.10 1:30 -0',
    ],
    [
      'environment: { null: a, true: c, 1.10: d, 0x1F: e }',
      (t) => Object.keys(t.spec.environment).join(' '),
      'null true 1.10 0x1F',
    ],
    ['environment: [A=1.10, "B=$$x"]', (t) => t.spec.environment, { A: '1.10', B: '$x' }],
    [
      'command: [run, 1.10, 007, true, FALSE, 1e3]',
      (t) => t.spec.command,
      ['run', '1.10', '007', 'true', 'FALSE', '1e3'],
    ],
    ['command: 1.10', (t) => t.spec.command, ['1.10']],
    ['user: 0010:0100', (t) => t.spec.user, '0010:0100'],
    ['user: 0010', (t) => t.spec.user, '0010'],
    ['title: 1.10, description: true', (t) => [t.title, t.description], ['1.10', 'true']],
    [
      'allow: { users: [007, 1e3, true], groups: [0x10] }',
      (t) => [t.policy.allowedUsers, t.policy.allowedGroups],
      [['007', '1e3', 'true'], ['0x10']],
    ],
    [
      'limits: { groups: { 007: 1, True: 2, 1.10: 3 } }',
      (t) => t.policy.maxWorkspacesByGroup,
      { '007': 1, True: 2, '1.10': 3 },
    ],
    ['init: False', (t) => t.spec.init, false],
    ['init: "false"', (t) => t.spec.init, false],
    ['pids_limit: "${PIDS:-9}"', (t) => t.spec.pids, 9],
    [
      'environment: { TZ: $TZ, ZONE: "${TZ}/${CITY:-x}", PRICE: $$5 }',
      (t) => t.spec.environment,
      { TZ: 'UTC', ZONE: 'UTC/x', PRICE: '$5' },
    ],
    ['environment: [A=x=y, B=]', (t) => t.spec.environment, { A: 'x=y', B: '' }],
    [
      'environment: { __proto__: x, constructor: y }',
      (t) => Object.entries(t.spec.environment),
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ],
    ['environment: [__proto__=x]', (t) => Object.entries(t.spec.environment), [['__proto__', 'x']]],
    [
      'home: { path: /home/me }',
      (t) => t.spec.home,
      { path: '/home/me', volume: '{instance}-{user}-home' },
    ],
    [
      'home: { path: /h, volume: "h-{user}" }',
      (t) => t.spec.home,
      { path: '/h', volume: 'h-{user}' },
    ],
    [
      'volumes: ["data:/data", "{user}-c:/c:ro", "/srv/x:/x"]',
      (t) => t.spec.volumes,
      [
        { kind: 'volume', source: 'data', target: '/data', readOnly: false },
        { kind: 'volume', source: '{user}-c', target: '/c', readOnly: true },
        { kind: 'bind', source: '/srv/x', target: '/x', readOnly: false },
      ],
    ],
    [
      'volumes: [{ type: bind, source: /srv, target: /x, read_only: true }, { source: d, target: /d }]',
      (t) => t.spec.volumes,
      [
        { kind: 'bind', source: '/srv', target: '/x', readOnly: true },
        { kind: 'volume', source: 'd', target: '/d', readOnly: false },
      ],
    ],
    [
      'volumes: [{ id: exchange, path: /exchange }]',
      (t) => t.spec.volumes,
      [{ kind: 'shared', source: 'exchange', target: '/exchange', readOnly: false }],
    ],
    ['user: 1000', (t) => t.spec.user, '1000'],
    ['user: 1000:100', (t) => t.spec.user, '1000:100'],
    ['', (t) => [t.spec.memoryBytes, t.spec.memorySwapBytes], [2 * 1024 ** 3, 2 * 1024 ** 3]],
    [
      'mem_limit: 512m',
      (t) => [t.spec.memoryBytes, t.spec.memorySwapBytes],
      [512 * 1024 ** 2, 512 * 1024 ** 2],
    ],
    ['mem_limit: 0', (t) => [t.spec.memoryBytes, t.spec.memorySwapBytes], [0, 0]],
    ['memswap_limit: 3g', (t) => t.spec.memorySwapBytes, 3 * 1024 ** 3],
    ['memswap_limit: -1', (t) => t.spec.memorySwapBytes, 0],
    ['cpus: 0.5', (t) => t.spec.cpus, 0.5],
    ['cpus: .5', (t) => t.spec.cpus, 0.5],
    ['cpus: "2"', (t) => t.spec.cpus, 2],
    ['cpus: 0', (t) => t.spec.cpus, 0],
    ['', (t) => [t.spec.cpus, t.spec.pids], [1, 512]],
    ['pids_limit: 64', (t) => t.spec.pids, 64],
    ['pids_limit: -1', (t) => t.spec.pids, 0],
    ['scheme: https', (t) => t.spec.scheme, 'https'],
    ['', (t) => t.spec.scheme, 'http'],
    ['', (t) => t.spec.healthcheck, undefined],
    [
      'healthcheck: { test: curl -f http://localhost/, interval: 1m30s, timeout: 10s, retries: 3, start_period: 40s, start_interval: 5s }',
      (t) => t.spec.healthcheck,
      {
        test: ['CMD-SHELL', 'curl -f http://localhost/'],
        intervalMs: 90_000,
        timeoutMs: 10_000,
        retries: 3,
        startPeriodMs: 40_000,
        startIntervalMs: 5_000,
      },
    ],
    [
      'healthcheck: { test: [CMD, wget, -q, "http://localhost/{"] }',
      (t) => t.spec.healthcheck,
      { test: ['CMD', 'wget', '-q', 'http://localhost/{'] },
    ],
    ['healthcheck: { test: [NONE] }', (t) => t.spec.healthcheck, { test: ['NONE'] }],
    ['healthcheck: { disable: true }', (t) => t.spec.healthcheck, { test: ['NONE'] }],
    ['healthcheck: { disable: false, retries: 2 }', (t) => t.spec.healthcheck, { retries: 2 }],
    ['shm_size: 256m', (t) => t.spec.shmBytes, 256 * 1024 ** 2],
    ['', (t) => [t.spec.entrypoint, t.spec.devices, t.spec.gpus], [undefined, [], []]],
    ['', (t) => [t.spec.tmpfs, t.spec.ulimits, t.spec.extraHosts], [[], [], []]],
    ['entrypoint: sh -c "a b"', (t) => t.spec.entrypoint, ['sh', '-c', 'a b']],
    ['entrypoint: [tini, --]', (t) => t.spec.entrypoint, ['tini', '--']],
    ['entrypoint: []', (t) => t.spec.entrypoint, []],
    ['entrypoint: ""', (t) => t.spec.entrypoint, []],
    [
      'devices: [/dev/fuse, "/dev/a:/dev/b", "/dev/a:r", "/dev/a:/dev/b:rm", vendor.com/gpu=0]',
      (t) => t.spec.devices,
      [
        { source: '/dev/fuse', target: '/dev/fuse', permissions: 'rwm' },
        { source: '/dev/a', target: '/dev/b', permissions: 'rwm' },
        { source: '/dev/a', target: '/dev/a', permissions: 'r' },
        { source: '/dev/a', target: '/dev/b', permissions: 'rm' },
        { source: 'vendor.com/gpu=0', target: '', permissions: '' },
      ],
    ],
    [
      'devices: [{ source: /dev/a }, { source: /dev/a, target: /dev/b, permissions: r }]',
      (t) => t.spec.devices,
      [
        { source: '/dev/a', target: '/dev/a', permissions: 'rwm' },
        { source: '/dev/a', target: '/dev/b', permissions: 'r' },
      ],
    ],
    [
      'gpus: all',
      (t) => t.spec.gpus,
      [{ driver: '', count: -1, ids: [], capabilities: ['gpu'], options: {} }],
    ],
    [
      'gpus: [{ count: 2, driver: nvidia, capabilities: [gpu, utility] }, { device_ids: [0, a], options: { x: 1.0 } }, {}, { count: all }]',
      (t) => t.spec.gpus,
      [
        { driver: 'nvidia', count: 2, ids: [], capabilities: ['gpu', 'utility'], options: {} },
        { driver: '', count: 0, ids: ['0', 'a'], capabilities: ['gpu'], options: { x: '1.0' } },
        { driver: '', count: -1, ids: [], capabilities: ['gpu'], options: {} },
        { driver: '', count: -1, ids: [], capabilities: ['gpu'], options: {} },
      ],
    ],
    ['tmpfs: /run', (t) => t.spec.tmpfs, [{ target: '/run', options: '' }]],
    [
      'tmpfs: ["/run", "/tmp:size=64m,mode=1777"], volumes: [{ type: tmpfs, target: /cache, tmpfs: { size: 1048576, mode: 0o755 } }, a:/a, { type: tmpfs, target: /x }]',
      (t) => [t.spec.tmpfs, t.spec.volumes.length],
      [
        [
          { target: '/run', options: '' },
          { target: '/tmp', options: 'size=64m,mode=1777' },
          { target: '/cache', options: 'size=1048576,mode=755' },
          { target: '/x', options: '' },
        ],
        1,
      ],
    ],
    [
      'ulimits: { nofile: 1024, memlock: -1, nproc: { soft: 100, hard: 200 }, core: { soft: 0, hard: -1 } }',
      (t) => t.spec.ulimits,
      [
        { name: 'nofile', soft: 1024, hard: 1024 },
        { name: 'memlock', soft: -1, hard: -1 },
        { name: 'nproc', soft: 100, hard: 200 },
        { name: 'core', soft: 0, hard: -1 },
      ],
    ],
    [
      'extra_hosts: ["db=10.0.0.5", "Db.example.com:10.0.0.6", "six=[fd00::1]", "seven:fd00::2", "up=host-gateway"]',
      (t) => t.spec.extraHosts,
      ['db:10.0.0.5', 'db.example.com:10.0.0.6', 'six:fd00::1', 'seven:fd00::2', 'up:host-gateway'],
    ],
    [
      'extra_hosts: { db: 10.0.0.5, two: [10.0.0.6, "fd00::1"] }',
      (t) => t.spec.extraHosts,
      ['db:10.0.0.5', 'two:10.0.0.6', 'two:fd00::1'],
    ],
    [
      '',
      (t) => t.spec.logging,
      { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '2' } },
    ],
    [
      'logging: { options: { max-size: 50m, labels: a } }',
      (t) => t.spec.logging,
      { driver: 'json-file', options: { 'max-size': '50m', 'max-file': '2', labels: 'a' } },
    ],
    [
      'logging: { driver: syslog, options: { tag: 1.10 } }',
      (t) => t.spec.logging,
      { driver: 'syslog', options: { tag: '1.10' } },
    ],
    [
      'environment: { my.var-x: a, 1st: b }',
      (t) => t.spec.environment,
      { 'my.var-x': 'a', '1st': 'b' },
    ],
    ['environment: [my.var-x=a]', (t) => t.spec.environment, { 'my.var-x': 'a' }],
    [
      'env_file: a.env',
      (t) => t.spec.environment,
      { FROM: 'a.env', ZONE: 'UTC', JSON: '{{"a": 1}}' },
    ],
    [
      'env_file: [a.env, { path: b.env, format: raw }, { path: gone.env, required: false }], environment: { ZONE: mine }',
      (t) => t.spec.environment,
      { FROM: 'b.env', ZONE: 'mine', JSON: '\'{{"a": 1}}\'' },
    ],
    ['networks: [licences]', (t) => t.spec.networks, ['licences']],
    ['init: false', (t) => t.spec.init, false],
    ['', (t) => t.spec.init, true],
    ['cap_add: [CAP_SYS_PTRACE, NET_ADMIN]', (t) => t.spec.capAdd, ['SYS_PTRACE', 'NET_ADMIN']],
    ['security_opt: ["seccomp=unconfined"]', (t) => t.spec.securityOpt, ['seccomp=unconfined']],
    [
      'security_opt: [no-new-privileges, "no-new-privileges:true", "label=user:x", writable-cgroups=true]',
      (t) => t.spec.securityOpt,
      ['no-new-privileges', 'no-new-privileges:true', 'label=user:x', 'writable-cgroups=true'],
    ],
    [
      'security_opt: [seccomp=./own.json, "seccomp:own.json", seccomp=builtin, label=disable]',
      (t) => t.spec.securityOpt,
      [
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
        'seccomp=builtin',
        'label=disable',
      ],
    ],
    [
      'security_opt: [seccomp=own.json]',
      (t) => t.weakened,
      ['has the security option seccomp with a profile of its own'],
    ],
    ['stop_signal: SIGRTMIN+3', (t) => t.spec.stopSignal, 'SIGRTMIN+3'],
    ['runtime: runsc', (t) => t.spec.runtime, 'runsc'],
    ['stop_signal: SIGINT', (t) => t.spec.stopSignal, 'SIGINT'],
    ['stop_signal: sigint', (t) => t.spec.stopSignal, 'SIGINT'],
    ['stop_signal: 15', (t) => t.spec.stopSignal, '15'],
    ['stop_grace_period: 1m30s', (t) => t.spec.stopTimeoutMs, 90_000],
    ['pull_policy: always', (t) => t.spec.pull, 'always'],
    ['pull_policy: if_not_present', (t) => t.spec.pull, 'missing'],
    [
      'ready: { path: /up, timeout: 30s }',
      (t) => [t.spec.readyPath, t.policy.startTimeoutMs],
      ['/up', 30_000],
    ],
    ['', (t) => [t.spec.readyPath, t.policy.startTimeoutMs], ['/', 120_000]],
    [
      'route: { hosts: [Lab.example.com, "*.x.org"] }',
      (t) => t.route,
      { hosts: ['lab.example.com', '*.x.org'] },
    ],
    [
      'route: { path: /lab }',
      (t) => t.route,
      { hosts: [], path: { prefix: '/lab', strip: false } },
    ],
    ['route: { path: /lab }', basePath, '/lab/'],
    ['route: { path: { prefix: /lab, strip: true } }', basePath, '/'],
    ['open: "/vnc.html?path={prefix}"', (t) => t.open, '/vnc.html?path={prefix}'],
    ['open: "/?view=1#top"', (t) => t.open, '/?view=1#top'],
    ['', (t) => t.open, ''],
    ['route: { port: 8443 }', (t) => t.route, { hosts: [], listenPort: 8443 }],
    [
      'allow: { users: [ann, 7], groups: [staff] }',
      (t) => [t.policy.allowedUsers, t.policy.allowedGroups],
      [['ann', '7'], ['staff']],
    ],
    ['limits: { workspaces: 10 }', (t) => t.policy.maxWorkspaces, 10],
    ['limits: { groups: { students: 6 } }', (t) => t.policy.maxWorkspacesByGroup, { students: 6 }],
    [
      'limits: { groups: { __proto__: 2, constructor: 3 } }',
      (t) => Object.entries(t.policy.maxWorkspacesByGroup),
      [
        ['__proto__', 2],
        ['constructor', 3],
      ],
    ],
    [
      'idle: { freeze: 5m, stop: 1h, remove: 48h }',
      (t) => [t.policy.idleFreezeMs, t.policy.idleStopMs, t.policy.idleRemoveMs],
      [5 * minute, 60 * minute, 2_880 * minute],
    ],
    [
      '',
      (t) => [t.policy.idleFreezeMs, t.policy.idleStopMs, t.policy.idleRemoveMs],
      [0, 15 * minute, 1_440 * minute],
    ],
    ['background: ["GET /api/*", "* /x"]', (t) => t.backgroundRequests, ['GET /api/*', '* /x']],
    [
      "background: ['GET /api/kernels/{id}/*']",
      (t) => t.backgroundRequests,
      ['GET /api/kernels/{id}/*'],
    ],
    [
      'background: [GET /poll, { request: POST /, max_size: 1k }]',
      (t) => t.backgroundRequests,
      ['GET /poll', { request: 'POST /', maxBytes: 1_024 }],
    ],
    [
      'frames: [{ path: /socket.io/*, prefix: 3 }, { prefix: 0x03F8, max_size: 10 }, { prefix: "ü;", period: 25s }]',
      (t) => t.quietFrames,
      [
        { path: '/socket.io/*', prefix: '33' },
        { path: '*', prefix: '03f8', maxBytes: 10 },
        { path: '*', prefix: 'c3bc3b', periodMs: 25_000 },
      ],
    ],
    [
      'frames: [{ path: /ws, prefix: 3, period: 25s, answers: 2 }]',
      (t) => t.quietFrames,
      [{ path: '/ws', prefix: '33', periodMs: 25_000, answers: '2' }],
    ],
    [
      'frames: [{ prefix: 0x09, period: 5s, answers: 0x09F8 }]',
      (t) => t.quietFrames,
      [{ path: '*', prefix: '09', periodMs: 5_000, answers: { hex: '09f8' } }],
    ],
    ['', (t) => t.quietFrames, []],
    ['banner: true', (t) => t.banner, true],
    ['', (t) => t.banner, false],
    [
      'activity: { path: /api/status, cpu: 20, at_most: 8h }',
      (t) => [t.policy.activityPath, t.policy.busyCpuPercent, t.policy.busyAtMostMs],
      ['/api/status', 20, 480 * minute],
    ],
    [
      '',
      (t) => [t.policy.activityPath, t.policy.busyCpuPercent, t.policy.busyAtMostMs],
      ['', 0, 1_440 * minute],
    ],
    [
      'lifetime: { max: 12h, extension: 2h, drain_after: 6h }',
      (t) => [t.policy.maxLifetimeMs, t.policy.extensionMs, t.policy.drainAfterMs],
      [720 * minute, 120 * minute, 360 * minute],
    ],
    [
      'seats: { concurrent: 10, total: 20, idle: 5m, persist_between_reconnects: false }',
      (t) => [
        t.policy.seats,
        t.policy.seatsTotal,
        t.policy.seatIdleMs,
        t.policy.persistBetweenReconnects,
      ],
      [10, 20, 5 * minute, false],
    ],
    ['seats: { concurrent: -1 }', (t) => t.policy.seats, 0],
    [
      '',
      (t) => [t.policy.seats, t.policy.seatsTotal, t.policy.persistBetweenReconnects],
      [1, 0, true],
    ],
    ['standby: 3', (t) => t.policy.standby, 3],
    ['start: click', (t) => t.policy.startsBy, 'click'],
    ['start: request', (t) => t.policy.startsBy, 'request'],
    [
      'pass: { identity: [user], tokens: [access, id] }',
      (t) => [t.passIdentity, t.passTokens],
      [['user'], ['access', 'id']],
    ],
    ['seats: { concurrent: 0 }', (t) => t.passIdentity, ['user', 'subject', 'groups', 'email']],
    ['', (t) => t.passIdentity, []],
    ['egress: none', (t) => t.spec.egress, 'none'],
    ['ssh: { method: exec }', (t) => t.ssh, { method: 'exec', shell: '/bin/sh', user: '' }],
    [
      'ssh: { method: exec, shell: /bin/bash, user: "1000:1000" }',
      (t) => t.ssh,
      { method: 'exec', shell: '/bin/bash', user: '1000:1000' },
    ],
    [
      'ssh: { method: connect, user: dev }',
      (t) => t.ssh,
      { method: 'connect', user: 'dev', port: 22 },
    ],
    [
      'ssh: { method: connect, user: dev, port: 2200 }',
      (t) => t.ssh,
      { method: 'connect', user: 'dev', port: 2200 },
    ],
    ['kind: ssh', (t) => t.ssh, { method: 'attach', shell: '/bin/sh', user: '' }],
    [
      'kind: ssh, ssh: { shell: /bin/bash }',
      (t) => [t.kind, t.spec.scheme, t.ssh],
      ['ssh', 'none', { method: 'attach', shell: '/bin/bash', user: '' }],
    ],
    [
      'kind: ssh, ssh: { method: connect, user: dev, port: 2200 }',
      (t) => [t.spec.port, t.spec.scheme],
      [2200, 'tcp'],
    ],
    ['', (t) => [t.kind, t.spec.scheme, t.ssh], ['web', 'http', undefined]],
    ['', (t) => t.tcp, undefined],
    [
      'kind: tcp, route: { port: 5432 }, sources: { ann: [10.0.0.0/8, "2001:db8::1"], "Ben B": [192.0.2.7] }',
      (t) => [
        t.spec.scheme,
        t.tcp?.sources.map(({ user, networks }) => [user, networks.map(({ text }) => text)]),
      ],
      [
        'tcp',
        [
          ['ann', ['10.0.0.0/8', '2001:db8::1']],
          ['Ben B', ['192.0.2.7']],
        ],
      ],
    ],
    [
      'kind: tcp, route: { port: 5432 }, allow: { certificates: true }',
      (t) => [t.tcp?.sources, t.tcp?.certificates, t.tcp?.seatsBy],
      [[], true, 'address'],
    ],
    [
      'kind: tcp, route: { port: 5432 }, allow: { guests: true }, seats_by: connection',
      (t) => [t.tcp?.seatsBy, t.policy.allowsGuests, t.policy.persistBetweenReconnects],
      ['connection', true, false],
    ],
    [
      'kind: tcp, route: { port: 5432 }, allow: { guests: true }, seats_by: address',
      (t) => [t.tcp?.seatsBy, t.policy.persistBetweenReconnects],
      ['address', true],
    ],
    [
      'kind: tcp, ssh: { method: exec }',
      (t) => [t.kind, t.ssh?.method, t.route.listenPort],
      ['tcp', 'exec', undefined],
    ],
    ['connection_idle: 2m', (t) => t.connectionIdleMs, 2 * minute],
  ]
  for (const [written, of, is] of everything)
    it(`is ${JSON.stringify(is)} if ${written === '' ? 'the file does not set it' : `the file has ${written}`}`, () => {
      assert.deepEqual(of(read(written)), is)
    })

  it('may name a secret of the top level, whose content is never printed', () => {
    const top = 'secrets: { key: { file: ./key } }'
    const template = read('secrets: [key, { source: key, target: /opt/key }]', top)
    const [first, second] = template.spec.secrets
    assert.equal(first?.target, '/run/secrets/key')
    assert.equal(second?.target, '/opt/key')
    assert.equal(first?.value.reveal(), 'of ./key')
    assert.ok(!JSON.stringify(template).includes('of ./key'))
  })

  it('may be a variable named __proto__ from an anchor', () => {
    const top = 'x-base: &base { __proto__: x }'
    const { spec } = read('environment: { <<: *base, A: y }', top)
    assert.deepEqual(Object.entries(spec.environment).toSorted(), [
      ['A', 'y'],
      ['__proto__', 'x'],
    ])
  })

  it('may come from an anchor, as in Compose', () => {
    const top = 'x-small: &small { mem_limit: 1g, cpus: 0.5 }'
    const template = read('<<: *small, cpus: 2', top)
    assert.deepEqual([template.spec.memoryBytes, template.spec.cpus], [1024 ** 3, 2])
  })

  it('is listed in words if it weakens the hardening', () => {
    const weak = read(
      'init: false, cap_add: [SYS_PTRACE], security_opt: [seccomp=unconfined], networks: [licences], volumes: ["/srv/x:/x:ro"]',
    )
    assert.deepEqual(weak.weakened, [
      'keeps the capability SYS_PTRACE',
      'its own program is process 1, without the engine’s init',
      'has the security option seccomp=unconfined',
      'joins the network licences',
      'reads the folder /srv/x of the host',
    ])
    assert.deepEqual(read('devices: [/dev/fuse], gpus: all').weakened, [
      'uses the device /dev/fuse of the host',
      'uses GPUs of the host',
    ])
    assert.deepEqual(read('volumes: ["d:/d"]').weakened, [])
    assert.deepEqual(read('volumes: ["/srv/x/{user}:/x"]').weakened, [
      'reads and writes the folder /srv/x/{user} of the host, which the next person with that user name gets',
    ])
  })
})
