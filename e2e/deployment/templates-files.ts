// The templates files that the proofs deploy. Together they use every field.

/** The values that differ from run to run, since the engine is shared. */
interface ChangingFile {
  readonly prefixes: Readonly<Record<'full' | 'dock' | 'pier' | 'rig' | 'screen' | 'frame', string>>
  /** A network that the engine has, in addition to Berth's own. */
  readonly network: string
  /** More of the template `pier`. */
  readonly pier: string
  /** More templates. */
  readonly more?: string
}

/** Templates: one with all settings of a container, one with some in their other forms, one with its own port, one that is
 * changed, and two that no engine without GPUs can start. */
export const changingFile = ({ prefixes, network, pier, more = '' }: ChangingFile): string => `
x-common: &common
  image: berth/hello
  port: 8080
  mem_limit: 64m

templates:
  full:
    <<: *common
    prefix: ${prefixes.full}
    title: All that a template can say
    route: { hosts: ['*.full.localhost'] }
    environment:
      WHO: '{user} as {username} in {workspace} of {instance}, {{plain}'
      WRITTEN: 1.10
      FILLED: \${NOT_SET_ANYWHERE:-yes} $$HOME
    entrypoint: [env, 'ENTERED=by {user}']
    command: [node, /opt/hello/src/main.ts]
    env_file: [full.env, { path: raw.env, format: raw }, { path: gone.env, required: false }]
    home: { path: /home/hello, volume: '{instance}-{user}-full' }
    volumes:
      - '{instance}-shelf:/data:ro'
      - { id: exchange, path: /exchange }
      - { type: tmpfs, target: /cache, tmpfs: { size: 4m, mode: 0o755 } }
    devices:
      - /dev/null:/dev/nought:r
      - { source: /dev/zero, target: /dev/zeroes, permissions: r }
    tmpfs: ['/scratch:size=8m']
    ulimits: { nofile: { soft: 2048, hard: 4096 }, core: 0 }
    extra_hosts: { db: 10.9.8.7, two: [10.9.8.6] }
    logging: { driver: json-file, options: { max-size: 1m } }
    secrets: [licence, { source: licence, target: /opt/licence.key }]
    user: '1000:1000'
    memswap_limit: 96m
    cpus: 0.5
    pids_limit: 77
    shm_size: 32m
    init: false
    cap_add: [SYS_PTRACE]
    security_opt: ['apparmor=unconfined']
    networks: [${network}]
    runtime: runc
    egress: none
    stop_signal: SIGINT
    stop_grace_period: 7s
    scheme: http
    healthcheck:
      test: [CMD, 'true']
      interval: 30s
      timeout: 5s
      retries: 3
      start_period: 20s
      start_interval: 200ms
    ready: { path: /whoami, timeout: 30s }
    allow: { groups: [staff] }
    limits: { workspaces: 1 }
    lifetime: { max: 2h, extension: 1h }
    pass: { identity: [user, email] }
  rig:
    <<: *common
    prefix: ${prefixes.rig}
    route: { hosts: [rig.localhost] }
    entrypoint: env ENTERED="by a text"
    command: node /opt/hello/src/main.ts
    env_file: full.env
    tmpfs: /scratch
    extra_hosts: ['db=10.9.8.7']
  screen:
    <<: *common
    prefix: ${prefixes.screen}
    route: { hosts: [screen.localhost] }
    gpus: all
  frame:
    <<: *common
    prefix: ${prefixes.frame}
    route: { hosts: [frame.localhost] }
    gpus:
      - { driver: nosuch, count: 1, capabilities: [gpu], options: { a: b } }
      - { device_ids: ['0'] }
  dock:
    <<: *common
    prefix: ${prefixes.dock}
    title: Dock
    route: { port: 8093 }
    healthcheck: { test: 'true' }
    start: click
    limits: { groups: { staff: 1 } }
    pass: { identity: [user], tokens: [access] }
  pier:
    <<: *common
    prefix: ${prefixes.pier}
    route: { hosts: [hello.localhost] }
    idle: { stop: 10m }
    ssh: { method: exec, shell: /bin/bash, user: '1000:1000' }
    healthcheck: { disable: true }
    ${pier}
${more}
secrets:
  licence: { file: ./licence.key }
`

/** An application that speaks only HTTPS: it answers with the path that it was asked for. */
const httpsServer = `
const options = { key: process.env.KEY, cert: process.env.CERTIFICATE }
require('node:https').createServer(options, ({ url, socket: { encrypted } }, response) =>
  response.end(JSON.stringify({ url, encrypted }))).listen(8080)`.replaceAll('{', '{{')

interface LifeFile {
  /** The end of the prefixes. */
  readonly own: string
  /** Where the images of `fresh` and `kept` are. */
  readonly registry: string
  /** A folder of the host. */
  readonly folder: string
  /** Of the template `secure`. */
  readonly certificate: { readonly key: string; readonly cert: string }
}

/** A template for each event in the life of a workspace, with times that a test can wait for. */
export const lifeFile = ({ own, registry, folder, certificate }: LifeFile): string => `
x-small: &small { image: berth/hello, port: 8080, mem_limit: 64m }

templates:
  ladder:
    <<: *small
    prefix: ladder${own}
    route: { hosts: [ladder.localhost] }
    idle: { freeze: 2s, stop: 14s, remove: 17s }
  lasting:
    <<: *small
    prefix: lasting${own}
    route: { hosts: [lasting.localhost] }
    lifetime: { max: 16s, extension: 2s }
  draining:
    <<: *small
    prefix: draining${own}
    route: { hosts: [draining.localhost] }
    seats: { concurrent: 0, persist_between_reconnects: false }
    lifetime: { drain_after: 2s }
  busy:
    <<: *small
    prefix: busy${own}
    route: { hosts: [busy.localhost] }
    idle: { stop: 2s }
    activity: { path: /files/busy }
  stubborn:
    <<: *small
    prefix: stubborn${own}
    route: { hosts: [stubborn.localhost] }
    idle: { stop: 2s }
    activity: { path: /files/busy, at_most: 4s }
  computing:
    <<: *small
    prefix: computing${own}
    route: { hosts: [computing.localhost] }
    cpus: 0.5
    command: [sh, -c, 'while [ ! -e done ]; do :; done & exec node /opt/hello/src/main.ts']
    idle: { stop: 2s }
    activity: { cpu: 5 }
  polled:
    <<: *small
    prefix: polled${own}
    route: { hosts: [polled.localhost] }
    idle: { stop: 5s }
    background: [GET /count/poll, { request: POST /echo, max_size: 20 }]
  beating:
    <<: *small
    prefix: beating${own}
    route: { hosts: [beating.localhost] }
    idle: { stop: 5s }
    frames:
      - { path: /ws, prefix: beat, max_size: 8 }
      - { path: /ws/slow, period: 1s }
  resting:
    <<: *small
    prefix: resting${own}
    route: { hosts: [resting.localhost] }
    idle: { freeze: 2s, stop: 12s }
    frames:
      - { path: /ws, prefix: 'pong', period: 1s, answers: ping }
  reopened:
    <<: *small
    prefix: reopened${own}
    route: { hosts: [reopened.localhost] }
    idle: { stop: 2s }
    start: request
    background: [GET /count/poll]
  forgotten:
    <<: *small
    prefix: forgotten${own}
    route: { hosts: [forgotten.localhost] }
    idle: { stop: 2s }
    connection_idle: 1s
  pairs:
    <<: *small
    prefix: pairs${own}
    title: Two at once
    description: Room for two
    icon: https://pairs.example.com/icon.svg
    kind: web
    route: { hosts: [pairs.localhost] }
    seats: { concurrent: 2 }
  served:
    <<: *small
    prefix: served${own}
    route: { hosts: [served.localhost] }
    seats: { concurrent: -1, total: 2 }
  brief:
    <<: *small
    prefix: brief${own}
    route: { hosts: [brief.localhost] }
    seats: { concurrent: 2, idle: 2s }
  waiting:
    <<: *small
    prefix: waiting${own}
    route: { hosts: [waiting.localhost] }
    standby: 1
  told:
    <<: *small
    prefix: told${own}
    route: { hosts: [told.localhost] }
    pass: { identity: [subject, groups], tokens: [id] }
  below:
    <<: *small
    prefix: below${own}
    route: { path: /echo }
    environment: ['BELOW={base_path}', 'PREFIX={prefix}', 'HOST={host}', 'ORIGIN={origin}']
    command: node /opt/hello/src/main.ts --title "two words"
    start: visit
  stripped:
    <<: *small
    prefix: stripped${own}
    route: { path: { prefix: /stripped, strip: true } }
    open: '/echo?from={prefix}'
  shelves:
    <<: *small
    prefix: shelves${own}
    route: { hosts: [shelves.localhost] }
    volumes:
      - { type: volume, source: '{instance}-shelf', target: /shelf }
      - { type: bind, source: ${folder}, target: /corpora, read_only: true }
    allow: { users: [ann], guests: true }
    egress: internet
  unready:
    <<: *small
    prefix: unready${own}
    route: { hosts: [unready.localhost] }
    ready: { path: /status/503, timeout: 2s }
  secure:
    <<: *small
    prefix: secure${own}
    route: { hosts: [secure.localhost] }
    scheme: https
    environment:
      KEY: ${JSON.stringify(certificate.key)}
      CERTIFICATE: ${JSON.stringify(certificate.cert)}
    command: [node, -e, ${JSON.stringify(httpsServer)}]
  fresh:
    <<: *small
    prefix: fresh${own}
    image: ${registry}/fresh:1
    pull_policy: always
    route: { hosts: [fresh.localhost] }
  kept:
    <<: *small
    prefix: kept${own}
    image: ${registry}/kept:1
    pull_policy: missing
    route: { hosts: [kept.localhost] }
  present:
    <<: *small
    prefix: present${own}
    image: ${registry}/present:1
    pull_policy: if_not_present
    route: { hosts: [present.localhost] }
`
