// The floor of every start: the same container, made and started by calls to the engine itself, and asked every 5 ms
// until it answers. Its network stands ready, as ours do.
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../../e2e/engine/engine.ts'
import { inspected, type InspectedContainer } from '../../e2e/engine/belongings.ts'

export interface RawEngine extends AsyncDisposable {
  /** Makes what stands ready before somebody comes. */
  prepare(): Promise<Prepared>
}

export interface Prepared {
  /** @returns ms from the call to the first byte of the application */
  coldStart(): Promise<number>
  /** Of the container that was started. */
  stop(): Promise<void>
  startAgain(): Promise<number>
  pause(): Promise<void>
  wake(): Promise<number>
}

const pollMs = 5
const withinMs = 60_000
const label = 'berth.bench'

/** @param like a running workspace: its image, command and limits are taken over */
export function createRawEngine(engine: Engine, like: InspectedContainer): RawEngine {
  const port = 8080
  const own: { readonly containers: string[]; readonly networks: string[] } = {
    containers: [],
    networks: [],
  }

  async function answers(id: string): Promise<void> {
    const { NetworkSettings } = await inspected(engine, id)
    const [network] = Object.values(NetworkSettings.Networks)
    const host = network?.IPAddress ?? ''
    const until = performance.now() + withinMs
    while (!(await answersAt(host, port))) {
      if (performance.now() > until) throw new Error(`${id} does not answer`)
      await sleep(pollMs)
    }
  }

  async function timed(work: () => Promise<void>): Promise<number> {
    const began = performance.now()
    await work()
    return performance.now() - began
  }

  return {
    async prepare() {
      const name = `bench-${randomUUID()}`
      const { Id: network } = await engine.post<{ Id: string }>(
        '/networks/create',
        {},
        { Name: name, Labels: { [label]: '' } },
      )
      own.networks.push(network)
      let id = ''
      return {
        coldStart: () =>
          timed(async () => {
            const { Image, Cmd, Env, User } = like.Config
            const made = await engine.post<{ Id: string }>(
              '/containers/create',
              {},
              {
                ...{ Image, Cmd, Env, User, Labels: { [label]: '' } },
                HostConfig: { ...like.HostConfig, NetworkMode: name },
              },
            )
            id = made.Id
            own.containers.push(id)
            await engine.post(`/containers/${id}/start`)
            await answers(id)
          }),
        stop: () => engine.post(`/containers/${id}/stop`, { t: 0 }),
        startAgain: () =>
          timed(async () => {
            await engine.post(`/containers/${id}/start`)
            await answers(id)
          }),
        pause: () => engine.post(`/containers/${id}/pause`),
        wake: () =>
          timed(async () => {
            await engine.post(`/containers/${id}/unpause`)
            await answers(id)
          }),
      }
    },
    async [Symbol.asyncDispose]() {
      for (const id of own.containers) await engine.remove(`/containers/${id}`, { force: true })
      for (const id of own.networks) await engine.remove(`/networks/${id}`)
    },
  }
}

function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host, port, agent: false, timeout: 1_000 }, (answer) => {
      answer.resume()
      resolve(true)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}
