import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTemplatesFile, type FileContext } from './read-templates-file.ts'
import { fileContext } from './testing/file-context.ts'
import { testTemplate } from './testing/test-template.ts'

/** Every problem as `line:column path message`, the message matched. */
function problemsOf(text: string, given: Partial<FileContext> = {}): readonly string[] {
  const result = readTemplatesFile(text, fileContext(given))
  if ('templates' in result) return []
  return result.problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  )
}

interface Broken {
  readonly why: string
  readonly text: string
  readonly given?: Partial<FileContext>
  readonly problems: readonly RegExp[]
}

const lab = 'image: berth/lab, port: 8888'
const broken: readonly Broken[] = [
  {
    why: 'YAML that is none',
    text: `templates:\n  lab: {${lab}\n`,
    problems: [/^3:1 {2}Flow map/],
  },
  {
    why: 'a key twice',
    text: `templates:\n  lab: {${lab}}\n  lab: {${lab}}\n`,
    problems: [/^3:3 {2}Map keys must be unique/],
  },
  {
    why: 'numbers that some programs read as octal',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 08888\n    pids_limit: 010\n    cpus: 010\n`,
    problems: [
      /^4:11 .*port must not begin with a zero/,
      /^5:17 .*pids_limit/,
      /^6:11 .*cpus must not/,
    ],
  },
  {
    why: 'lists of people that are empty and would let everybody in',
    text: `templates:\n  one: {${lab}, route: { path: /1 }, allow: {}}\n  two: {${lab}, route: { path: /2 }, allow: { users: [] }}\n  three: {${lab}, route: { path: /3 }, allow: { users: [ann], groups: [] }}\n`,
    problems: [
      /^2:\d+ .*one\.allow names nobody/,
      /^3:\d+ .*two\.allow\.users names nobody/,
      /^4:\d+ .*three\.allow\.groups names nobody/,
    ],
  },
  {
    why: 'a group that nobody can be a member of',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 8888\n    allow: { groups: [staff, "a,b"] }\n`,
    problems: [/^5:30 .*allow\.groups\.1 is not a name: it has no comma/],
  },
  {
    why: 'what no program can be given',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 8888\n    environment: { B: ${'x'.repeat(131_070)} }\n    command: [run, ${'x'.repeat(131_072)}]\n    entrypoint: [sh, "a\\0b"]\n`,
    problems: [
      /^5:\d+ .*environment\.B is too long/,
      /^6:\d+ .*command is too long/,
      /^7:\d+ .*entrypoint\.1 has a zero byte/,
    ],
  },
  { why: 'nothing in it', text: '', problems: [/^1:1 {2}must be a map with the key templates/] },
  {
    why: 'names that the engine would refuse only at a start',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    cap_add: [NET_ADMNI, CAP_SYS_PTRACE, QUANTUM]\n    stop_signal: SIGTREM\n    ulimits: { nofiles: 3 }\n    tmpfs: /run:sise=1m\n`,
    problems: [
      /^5:15 .*cap_add\.0 is not the name of a capability .*; did you mean NET_ADMIN\?/,
      /^5:42 .*cap_add\.2 is not the name of a capability such as SYS_PTRACE$/,
      /^6:18 .*stop_signal is not a signal/,
      /^7:25 .*ulimits\.nofiles is not the name of a limit/,
      /^8:12 .*tmpfs has the option "sise=1m"/,
    ],
  },
  {
    why: 'seccomp profiles that cannot be read, or are none',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    security_opt: [seccomp=gone.json, seccomp=list.json, seccomp=text.json]\n`,
    given: {
      readBeside: (path) => {
        if (path === 'gone.json') throw new Error('there is no gone.json')
        return path === 'list.json' ? '[]' : 'no JSON'
      },
    },
    problems: [
      /^5:20 .*security_opt\.0 "gone\.json" cannot be read: there is no gone\.json/,
      /^5:39 .*security_opt\.1 "list\.json" is not a seccomp profile/,
      /^5:58 .*security_opt\.2 "text\.json" is not a seccomp profile/,
    ],
  },
  {
    why: 'images, users and limits that the engine would refuse only at a start',
    text: `templates:\n  a: { image: 'https://r.example.com/a', port: 1 }\n  b: { image: 'a:', port: 1, route: { path: /b } }\n  c: { ${lab}, user: 2147483648, route: { path: /c } }\n  d: { ${lab}, user: 'root:99999999999', route: { path: /d } }\n  e: { ${lab}, ulimits: { nofile: -1 }, route: { path: /e } }\n  f: { ${lab}, home: { path: // }, route: { path: /f } }\n  g: { ${lab}, home: { path: /home/me }, tmpfs: /run/x/, secrets: [s], volumes: ['x:/home//me/'], route: { path: /g } }\nsecrets: { s: { file: s } }\n`,
    given: { readBeside: () => 'secret' },
    problems: [
      /^2:\d+ templates\.a\.image is not the name of an image, such as registry/,
      /^3:\d+ templates\.b\.image is not the name of an image/,
      /^4:\d+ templates\.c\.user has an id above 2147483647, which no engine accepts/,
      /^5:\d+ templates\.d\.user has an id above/,
      /^6:\d+ templates\.e\.ulimits\.nofile needs a number: the kernel has no nofile without a limit/,
      /^7:\d+ templates\.f\.home\.path must be an absolute path/,
      /^8:\d+ templates\.g\.tmpfs "\/run\/x\/" must be an absolute path/,
      /^8:\d+ templates\.g\.volumes\.0 has the path \/home\/me that home\.path has already/,
    ],
  },
  {
    why: 'mounts and secrets that the engine would cover',
    text: `templates:\n  a:\n    ${lab.replace(', ', '\n    ')}\n    home: { path: /proc/me }\n    volumes: ['a:/sys', 'b:/process']\n    secrets: [{ source: s, target: /dev/key }, { source: s, target: /sys/key }]\nsecrets: { s: { file: s } }\n`,
    given: { readBeside: () => 'secret' },
    problems: [
      /^5:\d+ .*home\.path is a folder of the kernel/,
      /^6:\d+ .*volumes\.0 "\/sys" is a folder of the kernel/,
      /^7:\d+ .*secrets\.0\.target is in a folder of the kernel/,
      /^7:\d+ .*secrets\.1\.target is in a folder of the kernel/,
    ],
  },
  {
    why: 'security options that the engine does not have',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    security_opt: [aparmor=x, systempaths=unconfined, no-new-privileges=yes, label=x]\n`,
    problems: [
      /^5:20 .*security_opt\.0 is not a security option of the engine; did you mean apparmor\?/,
      /^5:31 .*security_opt\.1 is not a security option of the engine; it has apparmor, label, /,
      /^5:55 .*security_opt\.2 has a value that no-new-privileges cannot have/,
      /^5:78 .*security_opt\.3 has a value that label cannot have/,
    ],
  },
  { why: 'a list', text: '- lab\n', problems: [/^1:1 {2}must be a map/] },
  {
    why: 'no templates, and a word for them that is almost right',
    text: `# comment\ntemplate:\n  lab: {${lab}}\n`,
    problems: [
      /^1:1 templates is not set/,
      /^2:1 template is not known here; did you mean templates\?/,
    ],
  },
  {
    why: 'keys of Compose in other words, each with the nearest that is known',
    text: `templates:\n  lab:\n    image: berth/lab\n    prot: 8888\n    memLimit: 2g\n    enviroment: {}\n    privileged: true\n    seats: { concurent: 3 }\n`,
    problems: [
      /^4:5 templates\.lab\.prot is not known here; did you mean port\?/,
      /^5:5 templates\.lab\.memLimit is not known here; did you mean mem_limit\?/,
      /^6:5 templates\.lab\.enviroment .*did you mean environment\?/,
      /^7:5 templates\.lab\.privileged is a key of Compose that the templates file does not have: use cap_add/,
      /^8:14 templates\.lab\.seats\.concurent .*did you mean concurrent\?/,
    ],
  },
  {
    why: 'keys of Compose that templates do not have',
    text: `version: '3'\nservices: {}\ntemplates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    ports: ['80:80']\n    pid: host\n    cpuset: 0-1\n    restart: always\n    volumes: [{ type: volume, source: a, target: /a, bind: {} }]\n    healthcheck: { image: a }\n`,
    problems: [
      /^1:1 version is a key of Compose .*: remove it/,
      /^2:1 services is a key of Compose .*: write what people get below templates/,
      /^7:5 .*lab\.ports is a key of Compose .*: use port/,
      /^8:5 .*lab\.pid is a key of Compose .*: it would weaken/,
      /^9:5 .*lab\.cpuset is a key of Compose .*: use cpus/,
      /^10:5 .*lab\.restart is a key of Compose .*: Berth starts/,
      /^11:\d+ .*volumes\.0\.bind is a key of Compose/,
      /^12:\d+ .*healthcheck\.image is not known here/,
    ],
  },
  {
    why: 'values that are not of the right kind',
    text: `templates:\n  lab:\n    image: [a]\n    port: eighty\n    init: "no"\n    volumes: data:/data\n    environment: { DEBUG: [yes] }\n    command:\n`,
    problems: [
      /^3:5 templates\.lab\.image must be a text/,
      /^4:11 templates\.lab\.port must be a whole number from 1 to 65535/,
      /^5:11 templates\.lab\.init must be true or false/,
      /^6:14 templates\.lab\.volumes must be a list/,
      /^7:20 templates\.lab\.environment\.DEBUG must be a text/,
      /^8:5 templates\.lab\.command is empty: write a value, or leave it out/,
    ],
  },
  {
    why: 'variables that have no value, and dollar signs that begin none',
    text: `x-note: costs $5 and $NONE\ntemplates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    environment: { A: $TZ, B: '\${NONE:?say when}', C: a$ }\n    cpus: $CPUS\n    init: $INIT\n    command: [sh, -c, 'echo $HOME']\n    allow: $WHO\n    pull_policy: $WHEN\n    volumes: [$DATA]\n    secrets: [key]\nsecrets:\n  key: { file: $KEY }\n`,
    given: {
      variables: (name) => (name === 'TZ' ? { complaint: 'is a secret' } : { value: undefined }),
    },
    problems: [
      /^6:23 templates\.lab\.environment\.A has the variable TZ, which is a secret/,
      /^6:31 templates\.lab\.environment\.B has the variable NONE: say when/,
      /^6:55 templates\.lab\.environment\.C has a \$ that begins no variable/,
      /^7:11 templates\.lab\.cpus has the variable CPUS, which is not set/,
      /^8:11 templates\.lab\.init has the variable INIT, which is not set/,
      /^9:23 templates\.lab\.command\.2 has the variable HOME, which is not set: .*write .*\$\$HOME for/,
      /^10:12 templates\.lab\.allow has the variable WHO/,
      /^11:18 templates\.lab\.pull_policy has the variable WHEN/,
      /^12:15 templates\.lab\.volumes\.0 has the variable DATA/,
      /^15:16 secrets\.key\.file has the variable KEY/,
    ],
  },
  {
    why: 'tags that change a value',
    text: `x-a: &a { mem_limit: !reset null }\nx-b: !note b\ntemplates:\n  lab:\n    <<: *a\n    image: berth/lab\n    port: !!int 8888\n    environment: !override { A: b }\n    cpus: !!float 0.5\n    title: !!binary aGk=\n    command: [! a, !env b]\n  lib: !lib\n    image: a\nsecrets: !all {}\n`,
    problems: [
      /^1:29 templates\.lab\.mem_limit has the tag !reset, which is for files that Compose merges/,
      /^8:28 templates\.lab\.environment has the tag !override, .*: leave out the tag/,
      /^10:21 templates\.lab\.title has the tag tag:yaml\.org,2002:binary, which is not known here/,
      /^11:25 templates\.lab\.command\.1 has the tag !env/,
      /^13:5 templates\.lib has the tag !lib/,
      /^14:15 secrets has the tag !all/,
    ],
  },
  {
    why: 'requests and frames of a page that say nothing',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 8888\n    background: [{ request: GET, max_size: 1 }, { request: GET /x }]\n    frames:\n      - { prefix: "" }\n      - { path: socket.io }\n      - { max_size: 2g }\n      - { path: '/{a b}/x' }\n      - { path: '/x{id}' }\n`,
    problems: [
      /^5:29 .*background\.0\.request is not a method and a path/,
      /^5:49 .*background\.1\.max_size is not set/,
      /^7:11 .*frames\.0\.prefix must be a text of 1 to 64 bytes/,
      /^8:17 .*frames\.1\.path must be a path/,
      /^9:21 .*frames\.2\.max_size must be a size of at most 1g/,
      /^10:17 .*frames\.3\.path must be a path/,
      /^11:17 .*frames\.4\.path has braces that are not a segment of their own/,
    ],
  },
  {
    why: 'entries about frames that would hold for every frame, or that lack their period',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 8888\n    frames: [{}, { prefix: 3, answers: 2 }]\n`,
    problems: [
      /^5:14 .*frames\.0 must say which frames/,
      /^5:\d+ .*frames\.1\.answers needs a period/,
    ],
  },
  {
    why: 'keys of Compose in forms that are none',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    entrypoint: [sh, '{nobody}']\n    devices:\n      - fuse\n      - /dev/a:/dev/b:x\n      - { source: /dev/a, permissions: rx }\n      - { target: /dev/a }\n    gpus: some\n    tmpfs: [/run, /tmp:size=lots, relative]\n    ulimits: { core: many, cpu: { soft: 1 } }\n    extra_hosts: { db: 10.0.0.256 }\n    logging: { driver: '', option: {} }\n    env_file: [{ path: broken.env, format: shell }]\n`,
    problems: [
      /^5:22 .*entrypoint\.1 has the unknown placeholder \{nobody\}/,
      /^7:9 .*devices\.0 must be \/dev\/name/,
      /^8:9 .*devices\.1 must be \/dev\/name/,
      /^9:40 .*devices\.2\.permissions must be letters of rwm/,
      /^10:9 .*devices\.3\.source is not set/,
      /^11:11 .*gpus must be all, or a list/,
      /^12:19 .*tmpfs\.1 has the option "size=lots"/,
      /^12:35 .*tmpfs\.2 "relative" must be an absolute path/,
      /^13:22 .*ulimits\.core must be a whole number, or -1/,
      /^13:28 .*ulimits\.cpu\.hard is not set/,
      /^14:24 .*extra_hosts\.db must be an IP address/,
      /^15:16 .*logging\.driver is not the name of a driver/,
      /^15:28 .*logging\.option is not known here; did you mean options\?/,
      /^16:44 .*env_file\.0\.format must be one of raw/,
    ],
  },
  {
    why: 'keys of Compose with values that the engine would refuse, or that would hide something',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    gpus:\n      - { count: 1, device_ids: [a] }\n    tmpfs: [/run]\n    ulimits: { nofile: { soft: 9, hard: 8 }, files: 3 }\n    extra_hosts: { '*.db': 10.0.0.1 }\n    env_file: [gone.env, broken.env, { path: gone.env, required: false }]\n    volumes:\n      - { type: tmpfs, target: /t, source: x }\n      - { type: tmpfs }\n      - { target: /t, source: x, tmpfs: { size: 1m } }\n      - a:/a\n      - { type: tmpfs, target: /a }\n    secrets: [key]\nsecrets:\n  key: { file: ./key }\n`,
    given: {
      readBeside: (path) => {
        if (path === 'gone.env') throw new Error('there is no gone.env')
        return path === 'broken.env' ? 'A=1\nB' : 'secret'
      },
    },
    problems: [
      /^5:5 .*gpus has count and device_ids/,
      /^8:16 .*ulimits\.nofile has a soft limit above its hard limit/,
      /^8:53 .*ulimits\.files is not the name of a limit/,
      /^9:5 .*extra_hosts\.\*\.db must be the name of a host/,
      /^10:16 .*env_file\.0 "gone\.env" cannot be read: there is no/,
      /^10:26 .*env_file\.1 "broken\.env" has in row 2 no NAME=value/,
      /^12:9 .*volumes\.0 has the type tmpfs, which goes with target/,
      /^13:9 .*volumes\.1 needs a target/,
      /^14:9 .*volumes\.2 needs type: tmpfs/,
      /^16:9 .*volumes\.4 has the path \/a that volumes has already/,
      /^17:15 .*secrets\.0 has the path \/run\/secrets\/key, which the folder in memory \/run hides/,
    ],
  },
  {
    why: 'durations and sizes that are none',
    text: `templates:\n  lab:\n    image: berth/lab\n    port: 8888\n    mem_limit: 2 gigs\n    idle: { stop: 15, freeze: 1s }\n    stop_grace_period: 11m\n    ready: { timeout: 0 }\n    cpus: many\n`,
    problems: [
      /^5:16 .*mem_limit must be a size of at least 6m/,
      /^6:19 .*idle\.stop has no unit \(15s, 15m …\), and must be a duration from 2s to 366d/,
      /^6:31 .*idle\.freeze must be a duration from 2s/,
      /^7:24 .*stop_grace_period must be a duration from 0s to 10m/,
      /^8:23 .*ready\.timeout must be a duration from 1s/,
      /^9:11 .*cpus must be a number/,
    ],
  },
  {
    why: 'placeholders that nobody knows, or that may not stand there',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    command: [serve, "{nobody}"]\n    environment:\n      A: "{user"\n    volumes:\n      - "{username}:/data"\n    home: { path: /home/me, volume: everybody }\n`,
    problems: [
      /^5:22 .*command\.1 has the unknown placeholder \{nobody\}/,
      /^7:10 .*environment\.A has a brace that is not closed/,
      /^9:9 .*volumes\.0 "\{username\}" may not contain \{username\}/,
      /^10:37 .*home\.volume must contain \{user\}/,
    ],
  },
  {
    why: 'a volume that people could choose the name of',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    volumes:\n      - "{username}:/data"\n      - data\n      - { id: x }\n      - { id: "{user}", path: /x }\n      - { type: npipe, target: /t }\n`,
    problems: [
      /^6:9 .*volumes\.0 "\{username\}" may not contain \{username\}/,
      /^7:9 .*volumes\.1 "data" is not name:\/path/,
      /^8:9 .*volumes\.2 needs both id and path/,
      /^9:9 .*volumes\.3 "\{user\}" must be an id/,
      /^10:17 .*volumes\.4\.type must be one of volume, bind, tmpfs/,
    ],
  },
  {
    why: 'volumes that are none',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    volumes:\n      - "{username}:/data"\n      - data\n      - { id: x }\n      - { id: "{user}", path: /x }\n      - { source: d, target: relative }\n`,
    problems: [
      /^6:9 .*volumes\.0 "\{username\}" may not contain \{username\}/,
      /^7:9 .*volumes\.1 "data" is not name:\/path/,
      /^8:9 .*volumes\.2 needs both id and path/,
      /^9:9 .*volumes\.3 "\{user\}" must be an id/,
      /^10:9 .*volumes\.4 "relative" must be an absolute path/,
    ],
  },
  {
    why: 'folders of the host that are not allowed',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    volumes:\n      - /etc:/etc\n      - /srv/data:/ok\n      - /srv/../etc:/b\n      - /srvdata:/c\n      - ./here:/d\n`,
    given: { bindsAllowed: ['/srv'] },
    problems: [
      /^6:9 .*volumes\.0 "\/etc" is a folder of the host that is not below a folder of BINDS_ALLOWED/,
      /^8:9 .*volumes\.2 "\/srv\/\.\.\/etc" must be an absolute path without \.\./,
      /^9:9 .*volumes\.3 "\/srvdata" is a folder .*not below a folder/,
      /^10:9 .*volumes\.4 "\.\/here" must be an absolute path/,
    ],
  },
  {
    why: 'secrets that cannot be read, or are not there',
    text: `secrets:\n  key: { file: ./nowhere }\n  other: {}\ntemplates:\n  lab: { ${lab}, secrets: [key, kye] }\n`,
    problems: [
      /^2:16 secrets\.key\.file cannot be read: there is no \.\/nowhere/,
      /^3:3 secrets\.other\.file is not set/,
      /^5:\d+ templates\.lab\.secrets\.1 "kye" is not a secret of the top level/,
    ],
  },
  {
    why: 'the same path for two mounts',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    home: { path: /home/me }\n    volumes:\n      - a:/home/me\n      - b:/b\n      - c:/b\n`,
    problems: [
      /^7:9 .*volumes\.0 has the path \/home\/me that home\.path has already/,
      /^9:9 .*volumes\.2 has the path \/b that volumes has already/,
    ],
  },
  {
    why: 'an idle ladder out of order, and an extension of nothing',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    idle:\n      freeze: 1h\n      stop: 30m\n      remove: 10m\n    lifetime: { extension: 1h }\n`,
    problems: [
      /^7:13 .*idle\.stop must not be shorter than idle\.freeze \(1h\)/,
      /^8:15 .*idle\.remove must not be shorter than idle\.stop \(30m\)/,
      /^9:28 .*lifetime\.extension has nothing to extend/,
    ],
  },
  {
    why: 'persons in what several people share',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    seats: { concurrent: 10, total: 5 }\n    standby: 1\n    command: serve {workspace}\n    environment: { A: "{email}", B: "{template}" }\n    volumes: ["{user}-x:/x"]\n    home: { path: /home/me }\n`,
    problems: [
      /^5:37 .*seats\.total must not be less than seats\.concurrent \(10\)/,
      /^6:14 .*standby is for private workspaces only/,
      /^7:14 .*command names a person by \{workspace\}/,
      /^8:23 .*environment\.A names a person by \{email\}/,
      /^9:15 .*volumes\.0 names a person by \{user\}/,
      /^10:5 .*home belongs to one person, but several people share/,
    ],
  },
  {
    why: 'an address that is not known',
    text: `templates:\n  lab: { ${lab}, route: { port: 8443 }, environment: { A: "{origin}" } }\n  any: { ${lab}, route: { hosts: ["*.x.org"] }, command: "serve {host}" }\n  one: { ${lab}, route: { hosts: ["*.y.org", y.org] }, command: "serve {host}" }\n`,
    problems: [
      /^2:\d+ .*environment\.A contains \{origin\}.*only route\.port leads to it/,
      /^3:\d+ .*command contains \{host\}.*route\.hosts has no host name without \*\./,
    ],
  },
  {
    why: 'a path to open that leads nowhere else, or to another host',
    text: `templates:\n  a: { ${lab}, open: / }\n  b: { ${lab}, open: "/#top", route: { path: /b } }\n  c: { ${lab}, open: //evil.org, route: { path: /c } }\n  d: { ${lab}, open: "/{user}", route: { path: /d } }\n  e: { ${lab}, open: /.berth/restart, route: { path: /e } }\n`,
    problems: [
      /^2:\d+ .*open must differ from \//,
      /^3:\d+ .*open must differ from \//,
      /^4:\d+ .*open must begin with one slash/,
      /^5:\d+ .*open may not contain \{user\}/,
      /^6:\d+ .*open is reserved for Berth/,
    ],
  },
  {
    why: 'a standby that names its owner',
    text: `templates:\n  lab: { ${lab}, standby: 2, environment: { A: "{username}" } }\n`,
    problems: [
      /^2:\d+ .*environment\.A names a person by \{username\}, but its workspaces are ready in advance, before/,
    ],
  },
  {
    why: 'memory without a bound where all together have one',
    text: `templates:\n  lab: { ${lab}, mem_limit: 0 }\n  big: { ${lab}, mem_limit: 9g, route: { path: /big } }\n  odd: { ${lab}, mem_limit: 2g, memswap_limit: 1g, route: { path: /odd } }\n`,
    given: { maxMemoryBytes: 8 * 1024 ** 3 },
    problems: [
      /^2:\d+ templates\.lab\.mem_limit must be set.*MAX_MEMORY/,
      /^3:\d+ templates\.big\.mem_limit must not be more than.*MAX_MEMORY/,
      /^4:\d+ templates\.odd\.memswap_limit must not be less than mem_limit/,
    ],
  },
  {
    why: 'names that are none, or the instance’s own',
    text: `templates:\n  Lab: { ${lab} }\n  my-lab: { ${lab} }\n  berth: { ${lab}, route: { path: /b } }\n`,
    problems: [
      /^2:3 templates\.Lab must be lower-case letters/,
      /^3:3 templates\.my-lab\.prefix must be set: "my-lab" is not a valid prefix/,
      /^3:3 templates\.my-lab\.route "Lab" and "my-lab" have the same way in: every host/,
      /^4:3 templates\.berth\.prefix "berth" must differ from the name of the instance/,
    ],
  },
  {
    why: 'kinds that are none, or that nobody could connect to',
    text: `templates:\n  raw: { ${lab}, kind: tcp, route: { path: /raw }, scheme: http }\n  odd: { ${lab}, kind: smtp, route: { path: /odd } }\n`,
    problems: [
      /^2:\d+ templates\.raw\.kind is tcp, and nothing says who connects: set sources/,
      /^2:\d+ templates\.raw\.route\.port must be set, because the kind is tcp/,
      /^2:\d+ templates\.raw\.route\.path has no effect, because the kind is tcp: remove it/,
      /^2:\d+ templates\.raw\.scheme has no effect, because the kind is tcp: remove it/,
      /^3:\d+ templates\.odd\.kind must be one of web, ssh, tcp/,
    ],
  },
  {
    why: 'keys of a website where people only sign in, and what is missing elsewhere',
    text: [
      'templates:',
      `  one: { image: x, port: 80, kind: ssh, route: { port: 9001, hosts: [one.x.org] }, open: /a, ready: { path: /up }, command: "serve {origin}" }`,
      `  two: { image: x, ssh: { shell: /bin/bash } }`,
      '',
    ].join('\n'),
    problems: [
      /^2:\d+ templates\.one\.port has no effect, because the kind is ssh: remove it, or set ssh\.port/,
      /^2:\d+ templates\.one\.route\.port has no effect, because the kind is ssh: remove it/,
      /^2:\d+ templates\.one\.route\.hosts has no effect, because the kind is ssh: remove it/,
      /^2:\d+ templates\.one\.open has no effect, because the kind is ssh: remove it/,
      /^2:\d+ templates\.one\.ready\.path has no effect, because the kind is ssh: remove it/,
      /^2:\d+ templates\.one\.command contains \{origin\}.*the kind is ssh, so it has none/,
      /^3:\d+ templates\.two\.port is not set/,
      /^3:\d+ templates\.two\.ssh\.method is not set: exec, attach or connect/,
    ],
  },
  {
    why: 'an SSH server without a user, and what belongs to another method',
    text: [
      'templates:',
      `  one: { ${lab}, ssh: { method: connect } }`,
      `  two: { ${lab}, route: { path: /two }, ssh: { method: connect, user: "1000:1000", port: 70000 } }`,
      `  three: { ${lab}, route: { path: /three }, ssh: { method: connect, user: "1000", shell: /bin/sh } }`,
      `  four: { ${lab}, route: { path: /four }, ssh: { method: exec, port: 22 } }`,
      '',
    ].join('\n'),
    problems: [
      /^2:\d+ templates\.one\.ssh\.user must be set to the name of a user, because the method is connect/,
      /^3:\d+ templates\.two\.ssh\.port must be/,
      /^4:\d+ templates\.three\.ssh\.user must be set to the name of a user/,
      /^4:\d+ templates\.three\.ssh\.shell has no effect, because the method is connect: remove it/,
      /^5:\d+ templates\.four\.ssh\.port is for the method connect only/,
    ],
  },
  {
    why: 'sources that are no networks, of two people at once, or of a website',
    text: [
      'templates:',
      `  one: { ${lab}, kind: tcp, route: { port: 9001 }, sources: { ann: [10.0.0.0/8], ben: ["10.1.2.3"] } }`,
      `  two: { ${lab}, kind: tcp, route: { port: 9002 }, sources: { ann: [everywhere] }, allow: { certificates: true } }`,
      `  none: { ${lab}, kind: tcp, route: { port: 9003 }, sources: { ann: [] } }`,
      `  web: { ${lab}, sources: { ann: [10.0.0.0/8] }, allow: { certificates: true }, seats_by: address }`,
      `  away: { ${lab}, kind: tcp, route: { port: 9006 }, ssh: { method: exec } }`,
      `  lost: { ${lab}, kind: tcp, ssh: { method: exec }, allow: { guests: true } }`,
      `  own: { ${lab}, kind: tcp, route: { port: 9008 }, allow: { certificates: true }, seats_by: connection }`,
      `  back: { ${lab}, kind: tcp, route: { port: 9009 }, allow: { guests: true }, seats_by: connection, seats: { persist_between_reconnects: true } }`,
      '',
    ].join('\n'),
    problems: [
      /^2:\d+ templates\.one\.sources gives addresses to two people: 10\.0\.0\.0\/8 to "ann", and 10\.1\.2\.3 to "ben"/,
      /^3:\d+ templates\.two\.sources\.ann\.0 must be an address, or a network such as 192\.0\.2\.0\/24/,
      /^4:\d+ templates\.none\.kind is tcp, and nothing says who connects/,
      /^5:\d+ templates\.web\.sources is for templates of the kind tcp only/,
      /^5:\d+ templates\.web\.allow\.certificates is for templates of the kind tcp only/,
      /^5:\d+ templates\.web\.seats_by is for templates of the kind tcp only/,
      /^6:\d+ templates\.away\.route\.port has no effect, because only ssh says who connects/,
      /^7:\d+ templates\.lost\.route\.port must be set, because the kind is tcp/,
      /^8:\d+ templates\.own\.seats_by is for guests only/,
      /^9:\d+ templates\.back\.seats\.persist_between_reconnects must not be true: with seats_by: connection/,
    ],
  },
  {
    why: 'one prefix for two, also beside the environment’s',
    text: `templates:\n  lab: { ${lab} }\n  a: { ${lab}, prefix: xx, route: { path: /a } }\n  b: { ${lab}, prefix: xx, route: { path: /b } }\n`,
    given: { beside: [testTemplate('lab', { route: { hosts: ['x.org'] } })] },
    problems: [
      /^2:3 templates\.lab "lab" \(of CONTAINER_\*\) and "lab" have the same name/,
      /^4:\d+ templates\.b\.prefix "a" and "b" have the same prefix "xx"/,
    ],
  },
  {
    why: 'ways in that meet',
    text: `templates:\n  a: { ${lab} }\n  b: { ${lab} }\n  c: { ${lab}, route: { hosts: [portal.example.com] } }\n  d: { ${lab}, route: { path: /d } }\n  e: { ${lab}, route: { path: /d/e } }\n`,
    problems: [
      /^3:\d+ templates\.b\.route "a" and "b" have the same way in: every host/,
      /^4:\d+ templates\.c\.route\.hosts "c" has the portal’s host portal\.example\.com/,
      /^6:\d+ templates\.e\.route\.path "d" and "e" have the same way in: paths \/d and \/d\/e of host berth\.example\.com/,
    ],
  },
  {
    why: 'Berth’s own networks, and what no workspace can join',
    text: `templates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    networks: [berth-internal, berth-ws-3, host, fine]\n`,
    problems: [
      /^5:16 .*networks\.0 "berth-internal" is one of Berth’s own networks/,
      /^5:32 .*networks\.1 "berth-ws-3" is one of/,
      /^5:44 .*networks\.2 "host" is not a network that a workspace can join/,
    ],
  },
  {
    why: 'a path that is not plain, or is the gateway’s',
    text: `templates:\n  a: { ${lab}, route: { path: lab/ } }\n  b: { ${lab}, route: { path: /oauth2/x } }\n  c: { ${lab}, route: { path: { prefix: /x/../y } } }\n  d: { ${lab}, route: { hosts: ["*.*.org", "x.org:80"] } }\n`,
    problems: [
      /^2:\d+ templates\.a\.route\.path must be a path such as \/lab/,
      /^3:\d+ templates\.b\.route\.path is reserved for Berth and the gateway/,
      /^4:\d+ templates\.c\.route\.path\.prefix must be a path such as \/lab/,
      /^5:\d+ templates\.d\.route\.hosts\.0 must be a host name/,
      /^5:\d+ templates\.d\.route\.hosts\.1 must be a host name/,
    ],
  },
  {
    why: 'several things at once, each of another kind',
    text: `templates:\n  my-lab:\n    ${lab.replace(', ', '\n    ')}\n    environment: { 1 st: a }\n    networks: [berth-internal, "b c", berth-ws-3]\n    volumes:\n      - { type: npipe, target: /t }\n      - data\n      - a:/b\n      - b:/b\n    secrets: [nowhere]\n    idle: { freeze: 1h, stop: 30m }\n    cpus: many\n`,
    problems: [
      /^2:3 .*prefix must be set/,
      /^5:26 .*environment\.1 st is not the name of a variable/,
      /^6:16 .*networks\.0 "berth-internal" is one of Berth’s own/,
      /^6:32 .*networks\.1 is not the name of a network/,
      /^6:39 .*networks\.2 "berth-ws-3" is one of Berth’s own/,
      /^8:17 .*volumes\.0\.type must be one of/,
      /^9:9 .*volumes\.1 "data" is not name:\/path/,
      /^11:9 .*volumes\.3 has the path \/b that volumes has already/,
      /^12:15 .*secrets\.0 "nowhere" is not a secret of/,
      /^13:31 .*idle\.stop must not be shorter than idle\.freeze/,
      /^14:11 .*cpus must be a number/,
    ],
  },
  {
    why: 'templates that meet although there is something wrong in one of them',
    text: `templates:\n  a: { ${lab}, prefix: xx, cpus: many, route: { path: /d } }\n  b: { ${lab}, prefix: xx, route: { path: /d/e } }\n  Lab: { ${lab}, lifetime: { extension: 1h } }\n`,
    problems: [
      /^2:\d+ templates\.a\.cpus must be a number/,
      /^3:\d+ templates\.b\.prefix "a" and "b" have the same prefix "xx"/,
      /^3:\d+ templates\.b\.route\.path "a" and "b" have the same way in/,
      /^4:3 templates\.Lab must be lower-case letters/,
      /^4:\d+ templates\.Lab\.lifetime\.extension has nothing to extend/,
    ],
  },
  {
    why: 'names that every object in JavaScript has',
    text: `secrets: { __proto__: { file: x } }\n__proto__: 1\ntemplates:\n  __proto__: { ${lab} }\n  a:\n    ${lab.replace(', ', '\n    ')}\n    __proto__: 1\n    environment: { __proto__: [] }\n    limits: { groups: { __proto__: many } }\n    route: { path: /a, __proto__: 1 }\n    secrets: [constructor]\n`,
    given: { readBeside: () => 'secret' },
    problems: [
      /^1:12 secrets\.__proto__ is not the name of a secret/,
      /^2:1 __proto__ is not known here/,
      /^4:3 templates\.__proto__ must be lower-case letters/,
      /^8:5 templates\.a\.__proto__ is not known here/,
      /^9:20 templates\.a\.environment\.__proto__ must be a text/,
      /^10:36 templates\.a\.limits\.groups\.__proto__ must be a whole number/,
      /^11:24 templates\.a\.route\.__proto__ is not known here/,
      /^12:15 templates\.a\.secrets\.0 "constructor" is not a secret of the top level/,
    ],
  },
  {
    why: 'a key twice, and what is wrong besides',
    text: `templates:\n  lab: {${lab}}\n  lab: {${lab}}\n  other: { ${lab}, cpus: many, route: { path: /other } }\n`,
    problems: [/^3:3 {2}Map keys must be unique/, /^4:\d+ templates\.other\.cpus must be a number/],
  },
  {
    why: 'secrets at what is no path of a file, or would have to be rendered',
    text: `secrets: { s: { file: secret } }\ntemplates:\n  lab:\n    ${lab.replace(', ', '\n    ')}\n    secrets:\n      - { source: s, target: '/run/{user}' }\n      - { source: s, target: // }\n      - { source: s, target: /run/x/ }\n      - { source: s, target: /run/../x }\n`,
    given: { readBeside: () => 'secret' },
    problems: [7, 8, 9, 10].map(
      (line) => new RegExp(`^${line}:\\d+ .*secrets\\.\\d\\.target must be the path of a file`),
    ),
  },
  {
    why: 'aliases that would fill the memory',
    text: `x-a: &a [x, x, x, x, x, x, x, x, x, x]\nx-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nx-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nx-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\nx-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\ntemplates: { lab: { ${lab}, command: [*e, *e, *e] } }\n`,
    problems: [/^1:1 {2}Excessive alias count/],
  },
]

/** Files with syntax errors: a template with one is left out, and the faults of all others are told. */
const unreadable: readonly Broken[] = [
  {
    why: 'an unclosed map, and a wrong value in the next template',
    text: `templates:\n  a: { ${lab}, cpus: many\n  b: { ${lab}, cpus: many, route: { path: /b } }\n`,
    problems: [/^3:3 {2}Flow map/, /^3:\d+ templates\.b\.cpus must be a number/],
  },
  {
    why: 'a colon in a text without quotes, and a wrong value in the next template',
    text: `templates:\n  a:\n    image: [x]\n    title: The lab: the best\n    init: 7\n    prot: 80\n  b: { ${lab}, idle: { stop: 1s } }\n`,
    problems: [
      /^4:12 {2}Nested mappings are not allowed/,
      /^7:\d+ templates\.b\.idle\.stop must be a duration/,
    ],
  },
  {
    why: 'a required key in the line of the error, which is not said to be missing',
    text: `templates:\n  a:\n    image: @x\n    port: many\n`,
    problems: [/^3:12 {2}Plain value cannot start/],
  },
  {
    why: 'a tab, a quote that is not closed and a lost dash in three templates',
    text: `templates:\n  a:\n    image: a\n\tport: 80\n    init: 7\n  b:\n    image: "b\n    port: many\n  c:\n    ${lab.replace(', ', '\n    ')}\n    volumes:\n      a: /a\n      - b:/b\n    cpus: many\n  d: { ${lab}, cpus: many, route: { path: /d } }\n`,
    problems: [
      /^4:1 {2}Tabs are not allowed/,
      /^14:1 {2}A block sequence may not be used/,
      /^16:\d+ templates\.d\.cpus must be a number/,
      /^17:1 {2}Missing closing "quote/,
    ],
  },
  {
    why: 'an unclosed list, which is told once however much comes after it',
    text: `templates:\n  a:\n    ${lab.replace(', ', '\n    ')}\n    command: [a, b]]\n    cpus: many\n  b: { ${lab}, route: { path: /b } }\n`,
    problems: [/^5:20 {2}Unexpected flow-seq-end/],
  },
  {
    why: 'a way in that may be other than it seems',
    text: `templates:\n  a:\n    ${lab.replace(', ', '\n    ')}\n    route: path: /a\n  b: { ${lab} }\n`,
    problems: [/^5:12 {2}Nested mappings/],
  },
  {
    why: 'a lifetime that may have had a maximum',
    text: `templates:\n  a:\n    ${lab.replace(', ', '\n    ')}\n    lifetime:\n      max: @\n      extension: 1h\n`,
    problems: [/^6:12 {2}Plain value cannot start/],
  },
  {
    why: 'secrets that may have been there',
    text: `secrets:\n  key: { file: @key }\ntemplates:\n  a: { ${lab}, secrets: [key], cpus: many }\n`,
    problems: [/^2:16 {2}Plain value cannot start/, /^4:\d+ templates\.a\.cpus must be a number/],
  },
  {
    why: 'an anchor that could not be read',
    text: `x-base: &base { image: @x, port: 80 }\ntemplates:\n  a: { <<: *base, cpus: many }\n  b:\n    <<: *base\n    cpus: many\n`,
    problems: [/^1:24 {2}Plain value cannot start/],
  },
  {
    why: 'an alias without an anchor',
    text: `templates:\n  a:\n    <<: *base\n    cpus: many\n`,
    problems: [/^3:9 {2}The alias \*base has no anchor &base before it/],
  },
  {
    why: 'aliases within what they stand for',
    text: `x-d: &d [{ e: *d }]\ntemplates:\n  a: &a { ${lab}, environment: *a }\n  b: &b { <<: *b, ${lab} }\n  c: { ${lab}, cpus: many, route: { path: /c } }\n`,
    problems: [
      /^1:15 {2}The alias \*d stands within the value of &d itself/,
      /^3:\d+ {2}The alias \*a stands within the value of &a itself/,
      /^4:\d+ {2}The alias \*b stands within the value of &b itself/,
      /^5:\d+ templates\.c\.cpus must be a number/,
    ],
  },
  {
    why: 'templates that are an alias of the whole',
    text: `templates: &t\n  a: { ${lab} }\n  b: *t\n`,
    problems: [/^3:\d+ {2}The alias \*t stands within/],
  },
  {
    why: 'a second document',
    text: `templates:\n  a: { ${lab}, cpus: many }\n---\ntemplates: {}\n`,
    problems: [/^2:\d+ templates\.a\.cpus must be a number/, /^3:1 {2}A second document begins/],
  },
  { why: 'nothing that could be read', text: '{', problems: [/^1:2 {2}Flow map must end with/] },
]

describe('a file with templates and syntax errors', () => {
  for (const { why, text, given, problems } of unreadable)
    it(`is refused with its other faults, and with nothing that only follows: ${why}`, () => {
      const found = problemsOf(text, given)
      assert.equal(found.length, problems.length, found.join('\n'))
      for (const [index, problem] of problems.entries()) assert.match(found[index] ?? '', problem)
    })
})

describe('a file with templates', () => {
  it('is refused here for more than twenty reasons, each with the lines of its problems', () => {
    assert.ok(broken.length > 20)
    const problems = broken.flatMap((file) => file.problems)
    assert.deepEqual(
      problems.filter(({ source }) => !/^\^\d+:(\d|\\d)[^|]*$/.test(source)),
      [],
    )
  })

  for (const { why, text, given, problems } of broken)
    it(`is refused whole, with every problem and its place, for ${why}`, () => {
      const found = problemsOf(text, given)
      assert.equal(found.length, problems.length, found.join('\n'))
      for (const [index, problem] of problems.entries()) assert.match(found[index] ?? '', problem)
    })

  it('may use one anchor in hundreds of templates', () => {
    const names = Array.from({ length: 300 }, (_, at) => `t${at}`)
    const templates = names.map((name) => `  ${name}: { <<: *base, route: { path: /${name} } }\n`)
    const text = `x-base: &base { ${lab} }\ntemplates:\n${templates.join('')}`
    assert.deepEqual(problemsOf(text), [])
  })

  it('says where a fault stands that came by an anchor', () => {
    const text = `x-base: &base\n  cpus: many\ntemplates:\n  lab:\n    <<: *base\n    image: a\n    port: 80\n`
    assert.deepEqual(problemsOf(text), [
      '2:9 templates.lab.cpus must be a number from 0.01 to 4096, or 0 for no limit',
    ])
  })

  it('does not compare a field with one that is wrong itself', () => {
    const text = `templates: { lab: { ${lab}, mem_limit: much, memswap_limit: 1g } }\n`
    const problems = problemsOf(text)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', /templates\.lab\.mem_limit must be a size/)
  })

  it('tells nothing of what may follow from a key that is written wrongly', () => {
    for (const wrong of ['rout: { path: /a }', 'route: { pth: /a }'])
      assert.match(
        problemsOf(`templates: { a: { ${lab}, ${wrong} }, b: { ${lab} } }\n`).join(),
        /^1:\d+ templates\.a\.\S+ is not known here; did you mean \w+\?$/,
      )
  })

  it('never shows the content of a secret in a problem', () => {
    const text = `secrets: { key: { file: ./key } }\ntemplates: { lab: { image: a, port: 0, secrets: [key] } }\n`
    const problems = problemsOf(text, { readBeside: () => 'hunter2' })
    assert.equal(problems.length, 1)
    assert.ok(!problems.join().includes('hunter2'))
  })

  it('takes any number of templates with ways in of their own', () => {
    const text = `templates:\n  a: { ${lab} }\n  b: { ${lab}, route: { path: /b } }\n  c: { ${lab}, route: { path: /bc } }\n  d: { ${lab}, route: { hosts: [x.org], path: /b/d } }\n  e: { ${lab}, route: { hosts: [x.org] } }\n  f: { ${lab}, route: { hosts: ["*.org"] } }\n  g: { ${lab}, route: { port: 8443 } }\n`
    assert.deepEqual(problemsOf(text), [])
  })
})
