// Two containers on a network of their own: one finds the other by its name, as directors find workspaces.
import { randomBytes } from 'node:crypto'
import { labels } from '@berth/shared/labels'
import { formatIpv4, formatSubnet, type Subnet } from '@berth/shared/subnet-pool'
import { z } from 'zod'
import type { NameFacts } from '../../doctor/facts.ts'
import { unlessGone } from '../client/calls.ts'
import { inspectContainer } from '../client/inspect.ts'
import { openShortContainer, type RunShortly } from '../containers/short-run.ts'
import { doctorRole, words, type TrialDeps } from './trial.ts'

const port = 8080
/** It ends by itself even if nobody removes it. */
const answering = `setTimeout(() => process.exit(), 60_000)
require('node:http').createServer((_, answer) => answer.end('here')).listen(${port})`

const asking = `
const [name] = process.argv.slice(1), until = Date.now() + 10_000
const told = { answered: false }
const ask = async () => {
  told.resolved = (await require('node:dns/promises').lookup(name, { family: 4 })).address
  const answer = await fetch('http://' + name + ':${port}/', { signal: AbortSignal.timeout(3_000) })
  told.answered = (await answer.text()) === 'here'
}
const again = () => ask().catch((error) => {
  told.error = String(error.cause?.message ?? error.message)
  if (Date.now() < until) return new Promise((then) => setTimeout(then, 100)).then(again)
})
again().then(() => console.log(JSON.stringify(told)))`

const toldSchema = z.object({
  resolved: z.string().optional(),
  answered: z.boolean(),
  error: z.string().optional(),
})

const unaborted = new AbortController().signal
const host = { ReadonlyRootfs: true, CapDrop: ['ALL'], Memory: 256 * 1024 ** 2, PidsLimit: 64 }

/** @param subnet one of the pool that nobody uses */
export async function tryNames(
  deps: TrialDeps,
  runShortly: RunShortly,
  subnet: Subnet,
  signal: AbortSignal,
): Promise<NameFacts> {
  await using network = await openNetwork(deps, subnet, signal)
  const NetworkMode = network.name
  const base = { role: doctorRole, image: deps.image }
  await using server = await openShortContainer(
    deps,
    { ...base, command: ['node', '-e', answering], host: { ...host, NetworkMode } },
    signal,
  )
  const { name, docker } = server
  await deps.call('container-start', { signal }, (abortSignal) => docker.start({ abortSignal }))
  const info = await inspectContainer(deps, docker.id, { signal })
  const expected = info?.NetworkSettings.Networks[NetworkMode]?.IPAddress ?? ''
  // As a director resolves names: the compose file says the same.
  const dns = { DnsOptions: ['ndots:1'], DnsSearch: ['.'] }
  const order = {
    ...base,
    command: ['node', '-e', asking, name] as const,
    host: { ...host, ...dns, NetworkMode },
    withinMs: 25_000,
  }
  const { output } = await runShortly(order, signal)
  const [line] = /^\{.*\}$/m.exec(output) ?? []
  if (line === undefined) throw new Error(words(output))
  const { resolved, answered, error } = toldSchema.parse(JSON.parse(line))
  return { name, expected, resolved, answered, error }
}

async function openNetwork(
  { docker, call, instance }: TrialDeps,
  subnet: Subnet,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly name: string }> {
  signal.throwIfAborted()
  const name = `${instance}-${doctorRole}-${randomBytes(4).toString('hex')}`
  const body = {
    Name: name,
    Driver: 'bridge',
    IPAM: {
      Config: [{ Subnet: formatSubnet(subnet), Gateway: formatIpv4(subnet.base + 1) }],
    },
    Labels: { [labels.instance]: instance, [labels.role]: doctorRole },
  }
  const patiently = { signal: unaborted, deadlineMs: 30_000 }
  const network = await call('network-create', patiently, (abortSignal) =>
    docker.createNetwork({ Name: name, ...{ _query: {}, _body: body }, abortSignal }),
  )
  return {
    name,
    async [Symbol.asyncDispose]() {
      await unlessGone(call('network-remove', patiently, () => network.remove()))
    },
  }
}
