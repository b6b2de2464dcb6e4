// Verdicts about networks: the pool of addresses, names of workspaces, ports of the host. Pure.
import { formatSubnet, parseSubnet, subnetCount, subnetsOverlap } from '@berth/shared/subnet-pool'
import type { NameFacts, PoolFacts, PublishedPort, WantedPort } from './facts.ts'
import { fault, ok, warning, type Finding } from './finding.ts'

const another =
  'choose another NETWORK_POOL, a private network that nothing else uses, such as 10.213.0.0/16 (no workspace may run while it changes)'

export function judgePool(facts: PoolFacts): readonly Finding[] {
  const { pool, wanted, foreign, taken, devices, defaultPools } = facts
  const room = subnetCount(pool) - taken
  const elsewhere = facts.routes.filter(({ device }) => !devices.includes(device))
  const lost = elsewhere.filter(({ subnet }) => subnetsOverlap(subnet, pool))
  if (lost.length > 0) {
    const told = lost.map(({ subnet, device }) => `${formatSubnet(subnet)} by ${device}`)
    const says = `NETWORK_POOL ${pool.cidr} overlaps a network that this machine reaches: ${told.join(', ')}`
    return [fault('pool', says, another)]
  }
  const names = foreign.map(({ name, subnets }) => `${name} (${subnets.join(', ')})`).join(', ')
  const overlap =
    foreign.length === 0
      ? ''
      : `, overlaps other networks of the engine: ${names}, and Berth leaves these addresses out`
  const says = `NETWORK_POOL ${pool.cidr} has room for ${room} workspaces${overlap}`
  if (room < (wanted ?? 1))
    return [
      fault('pool', says, `${another}. MAX_WORKSPACES and NETWORK_SPARES need ${wanted ?? 1}`),
    ]
  if (foreign.length > 0) return [warning('pool', says, `remove these networks, or ${another}`)]
  const shared = defaultPools.filter((text) => {
    const subnet = parseSubnet(text)
    return subnet !== undefined && subnetsOverlap(subnet, pool)
  })
  if (shared.length > 0)
    return [
      warning(
        'pool',
        `${says}, but the engine gives other networks addresses of it, too: its own pool is ${shared.join(', ')}`,
        another,
      ),
    ]
  return [ok('pool', says)]
}

export function judgeNames({ name, expected, resolved, answered, error }: NameFacts): Finding {
  if (resolved !== expected)
    return fault(
      'names',
      resolved === undefined
        ? `a container did not find another one by its name ${name}: ${error ?? 'no address'}`
        : `the name ${name} of a container leads to ${resolved}, not to its address ${expected}`,
      'see that the engine’s name server (127.0.0.11) answers in networks of its own, and that no firewall rule of this machine drops its packets; then restart the engine',
    )
  if (!answered)
    return fault(
      'names',
      `a container found another one by its name, and did not reach it: ${error ?? 'no answer'}`,
      'let the firewall of this machine pass packets between containers of one network (net.bridge.bridge-nf-call-iptables, the chains DOCKER and FORWARD); then restart the engine',
    )
  return ok('names', 'a container finds and reaches another one by its name')
}

export function judgePort(
  { variable, port }: WantedPort,
  listening: readonly number[],
  published: readonly PublishedPort[],
): Finding {
  const holder = published.find((one) => one.port === port)
  if (holder?.isOurs === true) return ok('ports', `${port} is published by ${holder.container}`)
  if (holder === undefined && !listening.includes(port)) return ok('ports', `${port} is free`)
  const by = holder === undefined ? 'another program' : `the container ${holder.container}`
  const other = port + 1000 > 65_535 ? port - 1000 : port + 1000
  return fault(
    'ports',
    `${port} is taken by ${by}`,
    `end it (ss -ltnp shows the program), or choose another port: ${variable}=${other}`,
  )
}
