// @ts-check
// The containers, networks and volumes of one instance, found by label, and their removal in the right order.
import { attempt, run } from './command.mjs'

const CALL_TIMEOUT_MS = 60_000
const STOP_GRACE_S = 15
const LABEL = 'berth.instance'

/**
 * @typedef {import('./progress.mjs').Say} Say
 * @typedef {{ id: string, name: string, role: string }} Container
 */

/**
 * Services and workspaces. The spawner comes first, so that it does not restore what is being removed.
 * @param {string} instance
 * @returns {Promise<Container[]>}
 */
export const listContainers = async (instance) => {
  const format = '{{.ID}}\t{{.Names}}\t{{.Label "berth.role"}}'
  const output = await ask(['ps', '--all', '--no-trunc', ...labelled(instance), '--format', format])
  const lent = await withLabelOfImage(instance)
  const containers = output.map((line) => {
    const [id = '', name = '', role = ''] = line.split('\t')
    return { id, name, role }
  })
  return inOrder(containers.filter(({ id }) => !lent.has(id)))
}

/**
 * Containers that have our label only because their image has it. They do not belong to the instance.
 * @param {string} instance
 */
const withLabelOfImage = async (instance) => {
  const images = await ask(['image', 'ls', '--quiet', '--no-trunc', ...labelled(instance)])
  const ids = await Promise.all(
    [...new Set(images)].map((image) =>
      ask(['ps', '--all', '--quiet', '--no-trunc', '--filter', `ancestor=${image}`]),
    ),
  )
  return new Set(ids.flat())
}

/**
 * Spawner, then the other services, then workspaces.
 * @param {readonly Container[]} containers
 */
export const inOrder = (containers) => {
  /** @param {Container} container */
  const rank = ({ role }) => (role === 'spawner' ? 0 : role === '' ? 2 : 1)
  return [...containers].sort((one, other) => rank(one) - rank(other))
}

/** @param {string} instance */
export const listNetworks = (instance) =>
  ask(['network', 'ls', ...labelled(instance), '--format', '{{.Name}}'])

/** @param {string} instance */
export const listVolumes = (instance) =>
  ask(['volume', 'ls', ...labelled(instance), '--format', '{{.Name}}'])

/**
 * The volumes that each belong to one person.
 * @param {string} instance
 */
export const listHomes = (instance) =>
  ask([
    'volume',
    'ls',
    ...labelled(instance),
    '--filter',
    'label=berth.user',
    '--format',
    '{{.Name}}',
  ])

/**
 * Stops and removes all containers of the instance.
 * @param {string} instance
 * @param {Say} say
 */
export const removeContainers = async (instance, say) => {
  const containers = await listContainers(instance)
  const first = containers.filter(({ role }) => role === 'spawner')
  const services = containers.filter(({ role }) => role !== 'spawner' && role !== '')
  const workspaces = containers.filter(({ role }) => role === '')
  for (const group of [first, services, workspaces]) {
    if (group.length === 0) continue
    say(`stopping ${group.map(({ name }) => name).join(', ')}`)
    await stopAndRemove(group)
  }
  return containers.length
}

/**
 * Removes the networks of the instance. Every container is detached first, stopped ones too: a container whose network
 * was removed could never start again.
 * @param {string} instance
 */
export const removeNetworks = async (instance) => {
  const networks = await listNetworks(instance)
  if (networks.length === 0) return 0
  for (const { id, network } of await attachments(new Set(networks))) {
    await attempt('docker', ['network', 'disconnect', '--force', network, id], {
      timeoutMs: CALL_TIMEOUT_MS,
    })
  }
  // With --force, a network that was removed in the meantime is no error.
  await run('docker', ['network', 'rm', '--force', ...networks], {
    timeoutMs: CALL_TIMEOUT_MS + networks.length * 1_000,
  })
  return networks.length
}

/** @param {string} instance */
export const removeVolumes = async (instance) => {
  const volumes = await listVolumes(instance)
  if (volumes.length > 0)
    await run('docker', ['volume', 'rm', '--force', ...volumes], {
      timeoutMs: CALL_TIMEOUT_MS + volumes.length * 1_000,
    })
  return volumes.length
}

/**
 * Removes everything of the instance, including people's files.
 * @param {string} instance
 * @param {Say} say
 */
export const removeInstance = async (instance, say) => {
  const containers = await removeContainers(instance, say)
  const networks = await removeNetworks(instance)
  const volumes = await removeVolumes(instance)
  return { containers, networks, volumes }
}

/** The names of all instances that the engine has containers, networks or volumes of. */
export const listInstances = async () => {
  const format = `{{.Label "${LABEL}"}}`
  const filter = ['--filter', `label=${LABEL}`]
  const lists = await Promise.all([
    ask(['ps', '--all', ...filter, '--format', format]),
    ask(['network', 'ls', ...filter, '--format', format]),
    ask(['volume', 'ls', ...filter, '--format', format]),
  ])
  return [...new Set(lists.flat())]
}

/**
 * What to say where there is nothing of an instance: its name may be misspelt.
 * @param {string} instance
 * @param {readonly string[]} others of this engine
 */
export const nothingOf = (instance, others) => {
  const names = others.filter((name) => name !== instance).sort()
  const known = names.length === 0 ? 'no instance' : names.join(', ')
  return `There is nothing of the instance ${instance}. This engine has ${known}. INSTANCE names the instance, in the environment file or in the environment.`
}

/** @param {readonly Container[]} containers */
const stopAndRemove = async (containers) => {
  const ids = containers.map(({ id }) => id)
  // A frozen container does not receive the signal to stop.
  await attempt('docker', ['unpause', ...ids], { timeoutMs: CALL_TIMEOUT_MS })
  await attempt('docker', ['stop', '--time', String(STOP_GRACE_S), ...ids], {
    timeoutMs: CALL_TIMEOUT_MS + STOP_GRACE_S * 1_000,
  })
  await run('docker', ['rm', '--force', ...ids], {
    timeoutMs: CALL_TIMEOUT_MS + ids.length * 1_000,
  })
}

/**
 * Every container that is on these networks, of any instance. They are read from the containers, since a network lists
 * only running ones.
 * @param {ReadonlySet<string>} networks
 */
const attachments = async (networks) => {
  const ids = await ask(['ps', '--all', '--quiet', '--no-trunc'])
  if (ids.length === 0) return []
  const format = '{{.Id}}{{range $name, $_ := .NetworkSettings.Networks}}\t{{$name}}{{end}}'
  // If one of the containers was removed in the meantime, inspect fails, and still prints the others.
  const { output } = await attempt('docker', ['inspect', '--format', format, ...ids], {
    timeoutMs: CALL_TIMEOUT_MS,
  })
  return output
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const [id = '', ...names] = line.split('\t')
      return names.filter((name) => networks.has(name)).map((network) => ({ id, network }))
    })
}

/** @param {string} instance */
const labelled = (instance) => ['--filter', `label=${LABEL}=${instance}`]

/** @param {readonly string[]} args */
const ask = async (args) => {
  const { output } = await run('docker', args, {
    timeoutMs: CALL_TIMEOUT_MS,
    help: 'Check that the Docker Engine runs: docker info',
  })
  return output.split('\n').filter(Boolean)
}
