// Copies the files of a volume that existed before Berth into a volume of Berth. Labels of a volume cannot be added
// later, so a copy is the only way that loses nothing: the old volume stays as it is.
import { hostname } from 'node:os'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import { createCall, unlessGone } from '../client/calls.ts'
import { connectEngine } from '../client/connection.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { inspectContainer } from '../client/inspect.ts'
import { listedName } from '../containers/container-state.ts'
import { cleanLines } from '../containers/log-frames.ts'
import { createRunShortly, type RunShortly } from '../containers/short-run.ts'
import { createVolumes, type Volumes } from './volumes.ts'

export interface AdoptOrder {
  /** The volume that existed before. */
  readonly from: string
  /** The volume that the template names. */
  readonly to: string
  /** `undefined`: several people share the volume. */
  readonly owner: Person | undefined
  /** Files are added to a volume that has some. One that is replaced is kept as `name.~1~`. */
  readonly merge: boolean
  /** An image that has `sh` and `cp` of GNU. It exists on the engine. */
  readonly image: string
}

export type AdoptVolume = (order: AdoptOrder, signal: AbortSignal) => Promise<void>

const copyWithinMs = 24 * 3_600_000

/** Owners, modes, times, links and attributes stay. The folder itself keeps its owner, too. */
const copying = (merge: boolean): string =>
  [
    'set -e',
    ...(merge ? [] : ['[ -z "$(ls -A /to)" ] || { echo "it has files already"; exit 9; }']),
    'cp -a --backup=numbered /from/. /to/',
  ].join('\n')

export interface Adoption extends Disposable {
  readonly adopt: AdoptVolume
  /** @returns the image of the container that this process runs in; `undefined` if it runs in none */
  ownImage(signal: AbortSignal): Promise<string | undefined>
}

/** For a process of its own. */
export function openAdoption(options: {
  readonly dockerHost: string
  readonly instance: string
  readonly clock: Clock
}): Adoption {
  const { instance, clock } = options
  const connection = connectEngine(options.dockerHost)
  const observer = { called: () => undefined, failed: () => undefined }
  const client = { docker: connection.docker, call: createCall({ clock, observer }) }
  return {
    adopt: createAdoptVolume({
      ...client,
      volumes: createVolumes({ ...client, instance }),
      runShortly: createRunShortly({ ...client, instance }),
    }),
    ownImage: async (signal) => (await inspectContainer(client, hostname(), { signal }))?.Image,
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}

export function createAdoptVolume(
  deps: EngineClient & { volumes: Volumes; runShortly: RunShortly },
): AdoptVolume {
  const { docker, call, volumes, runShortly } = deps

  const exists = async (name: string, signal: AbortSignal): Promise<boolean> =>
    (await unlessGone(
      call('volume-inspect', { signal }, () => docker.getVolume(name).inspect()),
    )) !== undefined

  async function refuseUsed(name: string, signal: AbortSignal): Promise<void> {
    const filters = { volume: [name] }
    const running = await call('container-list', { signal }, (abortSignal) =>
      docker.listContainers({ filters, abortSignal }),
    )
    const user = running.find(({ Mounts }) => Mounts.some(({ Name }) => Name === name))
    if (user !== undefined)
      throw new BerthError(
        'conflict',
        `The volume ${name} is used by the container ${listedName(user)}: stop it first, so that no file changes while it is copied.`,
      )
  }

  async function copy({ from, to, merge, image }: AdoptOrder, signal: AbortSignal): Promise<void> {
    const mount = (Source: string, Target: string, ReadOnly: boolean) =>
      ({ Type: 'volume', Source, Target, ReadOnly }) as const
    const { code, output } = await runShortly(
      {
        role: 'adoption',
        image,
        command: ['sh', '-c', copying(merge)],
        host: {
          NetworkMode: 'none',
          Mounts: [mount(from, '/from', true), mount(to, '/to', false)],
        },
        withinMs: copyWithinMs,
      },
      signal,
    )
    if (code === 0) return
    const words = cleanLines(output, { lines: 5, lineLength: 300 }).join('; ')
    throw new BerthError(
      'conflict',
      code === 9
        ? `The volume ${to} has files already. With --merge the files of ${from} are added to them.`
        : `The files could not be copied: ${words}`,
    )
  }

  return async (order, signal) => {
    const { from, to, owner } = order
    if (from === to)
      throw new BerthError(
        'conflict',
        `The volume ${from} has the name that the template gives, and labels cannot be added to it: name another volume in the template, such as {instance}-{user}-home, and the files are copied there.`,
      )
    if (!(await exists(from, signal)))
      throw new BerthError('conflict', `There is no volume ${from} on the engine.`)
    const isNew = !(await exists(to, signal))
    await volumes.ensure({ name: to, owner, readOnly: false }, signal)
    try {
      await refuseUsed(from, signal)
      await refuseUsed(to, signal)
      await copy(order, signal)
    } catch (error) {
      if (isNew)
        await unlessGone(call('volume-remove', { signal }, () => docker.getVolume(to).remove()))
      throw error
    }
  }
}
