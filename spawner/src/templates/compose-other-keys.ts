// The keys of a Compose file that the templates file does not have, and what to do instead. Pure.
import type { Path } from './positions.ts'

const byItself = 'Berth decides this by itself'
const oneContainer = 'a workspace is one container, which depends on no other'
const isolation = 'it would weaken the isolation of workspaces from each other'
const ofTheEngine = 'set it for all containers, in the configuration of the engine'
const nothingOfTheKind = 'Berth has nothing of the kind'

/** Of a service. */
const ofService: Readonly<Record<string, string>> = {
  annotations: nothingOfTheKind,
  attach: byItself,
  blkio_config: nothingOfTheKind,
  build: 'build the image before, and name it by image',
  cap_drop: 'every container has dropped its capabilities; cap_add keeps some',
  cgroup: isolation,
  cgroup_parent: isolation,
  configs: 'use secrets, or a volume that is read only',
  container_name: 'Berth names the container of each person, by prefix',
  cpu_count: 'use cpus',
  cpu_percent: 'use cpus',
  cpu_period: 'use cpus',
  cpu_quota: 'use cpus',
  cpu_rt_period: 'use cpus',
  cpu_rt_runtime: 'use cpus',
  cpu_shares: 'use cpus',
  cpuset: 'use cpus',
  credential_spec: nothingOfTheKind,
  depends_on: oneContainer,
  deploy: 'use mem_limit, cpus, pids_limit and gpus for the resources, and limits for the number',
  develop: nothingOfTheKind,
  device_cgroup_rules: 'use devices',
  dns: ofTheEngine,
  dns_opt: ofTheEngine,
  dns_search: ofTheEngine,
  domainname: byItself,
  driver_opts: nothingOfTheKind,
  expose: 'use port',
  extends: 'use an anchor and <<',
  external_links: oneContainer,
  group_add: "use user with a group, such as '1000:100'",
  hostname: 'each container has the name of its workspace',
  ipc: isolation,
  isolation: nothingOfTheKind,
  label_file: byItself,
  labels: byItself,
  links: oneContainer,
  mac_address: byItself,
  mem_reservation: 'use mem_limit',
  mem_swappiness: 'use memswap_limit',
  models: nothingOfTheKind,
  network_mode: 'each workspace has a network of its own; use egress, or networks for further ones',
  oom_kill_disable: 'use mem_limit',
  oom_score_adj: 'use mem_limit',
  pid: isolation,
  platform: 'name the image of that platform, for example by its digest',
  ports: 'use port: people reach the application through Berth only',
  post_start: 'use entrypoint or command',
  pre_stop: 'use stop_signal and stop_grace_period',
  privileged: 'use cap_add, devices or security_opt for what the application needs',
  profiles: 'use allow to say who may use the template',
  provider: nothingOfTheKind,
  pull_refresh_after: 'use pull_policy',
  read_only: nothingOfTheKind,
  restart: 'Berth starts a workspace when its person asks for it',
  scale: 'use limits for the most workspaces, or standby for those that wait',
  stdin_open: 'no terminal is attached to a workspace',
  storage_opt: ofTheEngine,
  sysctls: isolation,
  tty: 'no terminal is attached to a workspace',
  use_api_socket: isolation,
  userns_mode: isolation,
  uts: isolation,
  volumes_from: oneContainer,
  working_dir: 'set it in the image, or let the command change the folder',
}

const ofVolume: Readonly<Record<string, string>> = {
  bind: nothingOfTheKind,
  consistency: nothingOfTheKind,
  image: nothingOfTheKind,
  volume: nothingOfTheKind,
}

const ofFile: Readonly<Record<string, string>> = {
  configs: 'use secrets',
  include: 'use anchors',
  models: nothingOfTheKind,
  name: 'INSTANCE names the deployment',
  networks: 'the networks that a template names have to exist on the engine',
  services: 'write what people get below templates',
  version: 'remove it',
  volumes: 'Berth creates the volumes that a template names',
}

/** @returns the complaint about a key of Compose; `undefined` if Compose has no such key there */
export function composeKeyComplaint(path: Path): string | undefined {
  const words = path.length === 1 ? ofFile : path.length === 3 ? ofService : volumeWords(path)
  const key = String(path.at(-1))
  const advice = Object.hasOwn(words, key) ? words[key] : undefined
  return advice === undefined
    ? undefined
    : `is a key of Compose that the templates file does not have: ${advice}`
}

function volumeWords([, , key]: Path): Readonly<Record<string, string>> {
  return key === 'volumes' ? ofVolume : {}
}
