// Volumes: created once, their labels compared before use or removal. Labels decide to whom a volume belongs, not its name.
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import { z } from 'zod'
import type { Engine } from '../../loop/engine.ts'
import { unlessGone } from '../client/calls.ts'
import { diskUsage } from '../client/disk-usage.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { resultOf } from '../client/engine-result.ts'
import { isOurs, type Labels } from '../observe/ownership.ts'

export interface WantedVolume {
  readonly name: string
  readonly owner: Person | undefined
  readonly readOnly: boolean
}

export interface Volumes {
  /**
   * Creates the volume unless it exists.
   *
   * @param volume `owner` is `undefined` for a volume that several people share; `readOnly`: nothing is written to it
   * @throws BerthError `name_taken`, `identity_reused`
   */
  ensure(volume: WantedVolume, signal: AbortSignal): Promise<void>
  /** Removes this person's volume. A volume that is gone is a success; one that a container mounts is a failure. */
  readonly remove: Engine['removeHome']
  readonly sizes: Engine['volumeSizes']
  /** @returns those of these volumes that belong to one person */
  personal(names: readonly string[], signal: AbortSignal): Promise<readonly string[]>
}

export function createVolumes(deps: EngineClient & { instance: string }): Volumes {
  const { docker, call, instance } = deps

  async function labelsOf(name: string, signal: AbortSignal): Promise<Labels | undefined> {
    const info = await unlessGone(
      call('volume-inspect', { signal }, () => docker.getVolume(name).inspect()),
    )
    // A volume without labels has `null` here.
    const carried: Labels | null | undefined = info?.Labels
    return info === undefined ? undefined : (carried ?? {})
  }

  return {
    async ensure({ name, owner, readOnly }, signal) {
      const present = await labelsOf(name, signal)
      if (present !== undefined && owner === undefined && readOnly && isOfNobody(present)) return
      if (present !== undefined) return checkLabels(instance, name, owner, present)
      const Labels = volumeLabels(instance, name, owner)
      const body = { Name: name, Driver: 'local', Labels }
      await call('volume-create', { signal }, (abortSignal) =>
        docker.createVolume({ Name: name, ...{ _query: {}, _body: body }, abortSignal }),
      )
      // If the volume was created by someone else in the meantime, the engine reports success and keeps their labels.
      checkLabels(instance, name, owner, (await labelsOf(name, signal)) ?? {})
    },

    remove(name, user, signal) {
      const work = async (): Promise<void> => {
        const carried = await labelsOf(name, signal)
        if (carried === undefined) return
        const isTheirs = isOurs(instance, carried) && carried[labels.volume] === name
        if (!isTheirs || carried[labels.user] !== user)
          throw new BerthError('name_taken', `The volume ${name} belongs to another person.`)
        await unlessGone(
          call('volume-remove', { signal }, (abortSignal) =>
            docker.getVolume(name).remove({ abortSignal }),
          ),
        )
      }
      return resultOf('conflict', 'The volume could not be removed', work)
    },

    async sizes(signal) {
      const { Volumes } = volumeUsage.parse(await diskUsage(deps, 'volume', signal))
      const own = (Volumes ?? []).filter(({ Labels }) => isOurs(instance, Labels))
      return new Map(
        own.flatMap(({ Name, UsageData }) => {
          // -1: the engine does not know.
          const bytes = UsageData?.Size ?? -1
          return bytes < 0 ? [] : [[Name, bytes] as const]
        }),
      )
    },

    async personal(names, signal) {
      const all = await Promise.all(
        names.map(async (name) => ({ name, carried: await labelsOf(name, signal) })),
      )
      return all
        .filter(({ carried }) => isOurs(instance, carried) && carried?.[labels.user] !== undefined)
        .map(({ name }) => name)
    },
  }
}

const volumeUsage = z.object({
  Volumes: z
    .array(
      z.object({
        Name: z.string(),
        Labels: z.record(z.string(), z.string()).nullable(),
        UsageData: z.object({ Size: z.number() }).nullish(),
      }),
    )
    .nullish(),
})

/** Data that was there before Berth, which several people may read. */
function isOfNobody(carried: Labels): boolean {
  return !Object.keys(carried).some((label) => label.startsWith('berth.'))
}

function volumeLabels(
  instance: string,
  name: string,
  owner: Person | undefined,
): Record<string, string> {
  const own = { [labels.instance]: instance, [labels.volume]: name }
  if (owner === undefined) return own
  return { ...own, [labels.user]: owner.name, [labels.subject]: owner.subject }
}

function checkLabels(
  instance: string,
  name: string,
  owner: Person | undefined,
  carried: Labels,
): void {
  const wanted = `${labels.instance}=${instance} and ${labels.volume}=${name}`
  if (!isOurs(instance, carried) || carried[labels.volume] !== name)
    throw new BerthError(
      'name_taken',
      `The volume ${name} does not belong to this instance: it lacks the labels ${wanted}. An administrator can mount it read-only, or adopt it.`,
    )
  if (carried[labels.user] !== owner?.name)
    throw new BerthError('name_taken', `The volume ${name} belongs to another person.`)
  if (owner !== undefined && carried[labels.subject] !== owner.subject)
    throw new BerthError(
      'identity_reused',
      'The files of this user name belong to a person who had the name before.',
    )
}
