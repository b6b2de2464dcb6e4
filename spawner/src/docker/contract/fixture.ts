// A real engine with an instance of the test's own. Its disposal removes everything that the test created.
import { randomBytes } from 'node:crypto'
import { systemClock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import {
  parsePrefix,
  parseUserName,
  workspaceName,
  type Prefix,
  type UserName,
  type WorkspaceName,
} from '@berth/shared/names'
import { parseSubnetPool, type SubnetPool } from '@berth/shared/subnet-pool'
import Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { Template, TemplateSpec } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import {
  createDockerEngine,
  type DockerEngine,
  type DockerEngineOptions,
} from '../docker-engine.ts'

const dockerHost = 'unix:///var/run/docker.sock'

/** Exists on every machine that runs Berth's tests. */
export const baseImage = 'debian:bookworm-slim'

export interface EngineUnderTest extends AsyncDisposable {
  readonly engine: DockerEngine
  readonly docker: Docker
  readonly instance: string
  readonly pool: SubnetPool
  readonly prefix: Prefix
  readonly signal: AbortSignal
  /** Registers the removal of a thing that does not have the instance's label. */
  readonly after: (remove: () => Promise<unknown>) => void
  template(spec?: Partial<TemplateSpec>): Template
  /** A container of ours on network 0, created and started. */
  started(user: string, spec?: Partial<TemplateSpec>): Promise<{ id: string; address: string }>
}

export function person(name: string, subject = `u-${name}`): Person {
  return { name: userName(name), subject, groups: [] }
}

export function userName(text: string): UserName {
  return wanted(parseUserName(text))
}

export function wanted<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('there is nothing')
  return value
}

export function valueOf<T>(outcome: EngineResult<T>): T {
  if (outcome.ok) return outcome.value
  throw new Error(`${outcome.failure.code}: ${outcome.failure.detail}`)
}

export function nameOf(prefix: Prefix, name: string): WorkspaceName {
  return workspaceName(prefix, userName(name))
}

/**
 * @param pool a /24 that no other test file uses
 * @param instance the instance of another fixture, for a second spawner of that instance
 */
export function createEngineUnderTest(
  pool: string,
  instance = `contract-${randomBytes(4).toString('hex')}`,
  more: Pick<DockerEngineOptions, 'dockerConfig' | 'toolsArchive'> = {},
): EngineUnderTest {
  const suffix = instance.slice('contract-'.length)
  const prefix = wanted(parsePrefix(`c${suffix}`))
  const subnetPool = wanted(parseSubnetPool(pool))
  const docker = new Docker({ socketPath: dockerHost.replace('unix://', '') })
  const { signal } = new AbortController()
  const engine = createDockerEngine({
    dockerHost,
    instance,
    pool: subnetPool,
    clock: systemClock,
    observer: { called: () => undefined, failed: () => undefined },
    ...more,
  })
  const extra: (() => Promise<unknown>)[] = []

  const template = (spec: Partial<TemplateSpec> = {}): Template =>
    testTemplate(prefix, {
      spec: {
        image: baseImage,
        port: 8080,
        command: ['sleep', 'infinity'],
        memoryBytes: 64 * 1024 ** 2,
        memorySwapBytes: spec.memoryBytes ?? 64 * 1024 ** 2,
        cpus: 1,
        pids: 64,
        stopTimeoutMs: 2_000,
        ...spec,
      },
      policy: { startTimeoutMs: 30_000 },
    })

  return {
    engine,
    docker,
    instance,
    pool: subnetPool,
    prefix,
    signal,
    after: (remove) => extra.unshift(remove),
    template,
    async started(user, spec) {
      await engine.createNetwork(0, signal)
      const workspace = nameOf(prefix, user)
      const order = { workspace, template: template(spec), owner: person(user), network: 0 }
      const { generation } = valueOf(await engine.createContainer(order, signal))
      const { address } = valueOf(await engine.startContainer(generation, 0, signal))
      return { id: generation, address }
    },
    async [Symbol.asyncDispose]() {
      const filters = { label: [`${labels.instance}=${instance}`] }
      // Every step runs, also after one that failed: leftovers would disturb the next run.
      const steps = [() => removeContainers(docker, filters), ...extra]
      const results = []
      for (const step of [...steps, () => removeTheRest(docker, filters)])
        results.push(...(await Promise.allSettled([step()])))
      engine[Symbol.dispose]()
      const failed = results.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
  }
}

type Filters = { readonly label: string[] }

async function removeContainers(docker: Docker, filters: Filters): Promise<void> {
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true, v: true })
}

async function removeTheRest(docker: Docker, filters: Filters): Promise<void> {
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove()
  const { Volumes } = await docker.listVolumes({ filters })
  for (const { Name } of Volumes) await docker.getVolume(Name).remove()
}

/** Runs a command in a running container. @returns its output */
export async function run(docker: Docker, id: string, ...Cmd: string[]): Promise<string> {
  const options = { Cmd, AttachStdout: true, AttachStderr: true, Tty: true }
  const exec = await docker.getContainer(id).exec(options)
  const stream = await exec.start({ hijack: true, stdin: false, Tty: true })
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8').trim().replaceAll('\r\n', '\n')
}

/** The base image with additional instructions of a Dockerfile. A commit applies them without a build. */
export async function derivedImage(test: EngineUnderTest, instructions: string): Promise<string> {
  const { docker } = test
  const container = await docker.createContainer({ Image: baseImage, Cmd: ['true'] })
  const changes = instructions.split('\n')
  const image = (await container.commit({ changes })) as { Id: string }
  await container.remove()
  test.after(() => docker.getImage(image.Id).remove({ force: true }))
  return image.Id
}
