// The files of a volume as a tar that streams out of the engine or into it. GNU tar does both, in a container of Berth's own
// image: it keeps owners, modes, times, links, attributes and access lists, and its exit code says whether all was read.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Readable } from 'node:stream'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { parseUserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import { createCall, unlessGone } from '../client/calls.ts'
import { connectEngine } from '../client/connection.ts'
import { inspectContainer } from '../client/inspect.ts'
import { listedName } from '../containers/container-state.ts'
import { runPiped, type PipedResult } from '../containers/piped-run.ts'
import { createRunShortly, removeLeftovers } from '../containers/short-run.ts'
import { createVolumes } from './volumes.ts'

export interface Home {
  readonly volume: string
  /** Absent for a volume that several people share. */
  readonly user?: string
  readonly subject?: string
}

/** A container that may write to the volume now. */
export interface HomeUser {
  readonly container: string
  /** The workspace, if it is one of ours. */
  readonly workspace: string | undefined
  readonly isFrozen: boolean
}

export interface HomeFiles extends Disposable {
  list(signal: AbortSignal): Promise<readonly Home[]>
  /** Only containers that run or are frozen. */
  usersOf(volume: string, signal: AbortSignal): Promise<readonly HomeUser[]>
  exists(volume: string, signal: AbortSignal): Promise<boolean>
  /** @returns whether files changed while tar read them */
  read(
    volume: string,
    take: (chunks: AsyncIterable<Uint8Array>) => Promise<void>,
    signal: AbortSignal,
  ): Promise<{ readonly changed: boolean }>
  /** Creates the volume with its labels unless it exists, and replaces all of its files, or none. */
  write(home: Home, tar: Readable, signal: AbortSignal): Promise<void>
  /** Removes what a command left behind that was killed. */
  sweep(signal: AbortSignal): Promise<void>
}

const roles = ['backup', 'restore'] as const
const copyWithinMs = 24 * 3_600_000
/** What a person may set, and what lets a program have a capability. Others belong to the machine. */
const attributes = ['user.*', 'security.capability'].map((name) => `--xattrs-include=${name}`)
const kept = ['--numeric-owner', '--xattrs', ...attributes, '--acls']
/** The exit code of tar if a file changed or went while it was read. */
const filesChanged = 1
const stagePrefix = '.berth-restore-'

export function openHomeFiles(options: {
  readonly dockerHost: string
  readonly instance: string
  readonly clock: Clock
}): HomeFiles {
  const { instance, clock } = options
  const connection = connectEngine(options.dockerHost)
  const { docker } = connection
  const observer = { called: () => undefined, failed: () => undefined }
  const call = createCall({ clock, observer })
  const client = { docker, call, instance }
  const volumes = createVolumes(client)
  const runShortly = createRunShortly(client)

  async function orderFor(
    role: (typeof roles)[number],
    volume: string,
    command: readonly [string, ...string[]],
    signal: AbortSignal,
  ) {
    const own = await inspectContainer(client, hostname(), { signal })
    const ReadOnly = role === 'backup'
    const mount = { Type: 'volume', Source: volume, Target: '/v', ReadOnly } as const
    const host: Docker.HostConfig = {
      NetworkMode: 'none',
      Mounts: [mount],
      // The files would be in the log otherwise.
      LogConfig: { Type: 'none', Config: {} },
    }
    const image = own?.Image ?? 'berth/spawner'
    return { role, image, command, host, withinMs: copyWithinMs }
  }

  async function exists(volume: string, signal: AbortSignal): Promise<boolean> {
    const asked = call('volume-inspect', { signal }, () => docker.getVolume(volume).inspect())
    return (await unlessGone(asked)) !== undefined
  }

  async function unpack(volume: string, tar: Readable, signal: AbortSignal): Promise<void> {
    const stage = `${stagePrefix}${randomBytes(4).toString('hex')}`
    const order = await orderFor('restore', volume, ['sh', '-c', unpacking(stage)], signal)
    const nothing = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) void chunk
    }
    try {
      const result = await runPiped(client, order, { input: tar, output: nothing }, signal)
      if (result.code !== 0) throw copyFailed(result)
    } catch (error) {
      const cleaning = await orderFor(
        'restore',
        volume,
        ['sh', '-c', `rm -rf /v/${stagePrefix}*`],
        unaborted,
      )
      await runShortly({ ...cleaning, withinMs: 600_000 }, unaborted).catch(() => undefined)
      throw error
    }
  }

  return {
    async list(signal) {
      const filters = { label: [`${labels.instance}=${instance}`, labels.volume] }
      const { Volumes } = await call('volume-list', { signal }, (abortSignal) =>
        docker.listVolumes({ filters, abortSignal }),
      )
      return Volumes.filter(({ Name, Labels }) => Labels[labels.volume] === Name).map(
        ({ Name: volume, Labels }) => {
          const { [labels.user]: user, [labels.subject]: subject } = Labels as Record<
            string,
            string | undefined
          >
          return {
            volume,
            ...(user === undefined ? {} : { user }),
            ...(subject === undefined ? {} : { subject }),
          }
        },
      )
    },

    async usersOf(volume, signal) {
      const filters = { volume: [volume], status: ['running', 'paused', 'restarting'] }
      const listed = await call('container-list', { signal }, (abortSignal) =>
        docker.listContainers({ all: true, filters, abortSignal }),
      )
      // The filter also matches the paths of mounts.
      return listed
        .filter(({ Mounts }) => Mounts.some(({ Name, RW }) => Name === volume && RW))
        .map((item) => ({
          container: listedName(item),
          workspace: item.Labels[labels.workspace],
          isFrozen: item.State === 'paused',
        }))
    },

    exists,

    async read(volume, take, signal) {
      const command = [
        'tar',
        '--create',
        '--file=-',
        '--format=posix',
        // A file with holes takes no more room in the archive, and after it was restored, than it did.
        '--sparse',
        ...kept,
        '--one-file-system',
        '--directory=/v',
        '.',
      ] as const
      const order = await orderFor('backup', volume, [...command] as [string, ...string[]], signal)
      const result = await runPiped(client, order, { output: take }, signal)
      if (result.code !== 0 && result.code !== filesChanged) throw copyFailed(result)
      return { changed: result.code === filesChanged }
    },

    async write(home, tar, signal) {
      const { volume } = home
      const isNew = !(await exists(volume, signal))
      await volumes.ensure({ name: volume, owner: ownerOf(home), readOnly: false }, signal)
      try {
        await unpack(volume, tar, signal)
      } catch (error) {
        if (isNew)
          await unlessGone(
            call('volume-remove', { signal: unaborted }, () => docker.getVolume(volume).remove()),
          )
        throw error
      }
    },

    async sweep(signal) {
      for (const role of roles) await removeLeftovers(client, role, clock.wall(), signal)
    },

    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}

const unaborted = new AbortController().signal

/**
 * Into a folder of the volume first, so that a failure leaves the present files as they are. Then the files change places,
 * and the folder of the volume gets its owner, mode, attributes and time. From then on the unpacked files have another name,
 * under which no clean-up removes them.
 */
const unpacking = (stage: string, whole = stage.replace('restore', 'restored')): string => `set -e
cd /v
before=$(stat --format=%y .)
trap 'rm -rf ./${stage}; touch --date="$before" .' EXIT
rm -rf ./${stagePrefix}*
mkdir ${stage}
tar --extract --file=- ${kept.map((option) => `'${option}'`).join(' ')} --same-owner --preserve-permissions --delay-directory-restore --directory=${stage}
trap - EXIT
mv ${stage} ${whole}
time=$(stat --format=%y ${whole})
find . -mindepth 1 -maxdepth 1 ! -name ${whole} -exec rm -rf {} +
find ${whole} -mindepth 1 -maxdepth 1 -exec mv --target-directory=. {} +
cp --archive --no-target-directory ${whole} .
rmdir ${whole}
touch --date="$time" .`

function copyFailed({ code, errors }: PipedResult): BerthError {
  const words = errors.length === 0 ? `tar ended with ${code}` : errors.join('; ')
  return new BerthError('conflict', `The files could not be copied: ${words}`)
}

function ownerOf({ user, subject }: Home): Person | undefined {
  if (user === undefined) return undefined
  const name = parseUserName(user)
  if (name === undefined) throw new BerthError('conflict', `"${user}" is not the name of a person`)
  return { name, subject: subject ?? '', groups: [] }
}
