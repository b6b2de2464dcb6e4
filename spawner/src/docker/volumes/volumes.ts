// Volumes: made once, compared by label before use or removal. Whose name it is decides nothing; labels do.
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import type { UserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import { unlessGone, type Call } from '../client/calls.ts'
import { outcomeOf } from '../client/engine-result.ts'
import type { EngineResult } from '../../loop/engine.ts'
import { isOurs, type Labels } from '../observe/ownership.ts'

export interface Volumes {
  /**
   * Has the volume there.
   *
   * @param owner absent for a volume that everybody shares
   * @throws BerthError `name_taken`, `identity_reused`
   */
  ensure(name: string, owner: Person | undefined, signal: AbortSignal): Promise<void>
  /** That person's own volume; one that is gone already is a success, one that a container has a failure. */
  remove(name: string, user: UserName, signal: AbortSignal): Promise<EngineResult<void>>
  /** Which of these volumes are one person's. */
  personal(names: readonly string[], signal: AbortSignal): Promise<readonly string[]>
}

export function createVolumes(deps: { docker: Docker; call: Call; instance: string }): Volumes {
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
    async ensure(name, owner, signal) {
      const present = await labelsOf(name, signal)
      if (present !== undefined) return compare(instance, name, owner, present)
      const Labels = volumeLabels(instance, name, owner)
      const body = { Name: name, Driver: 'local', Labels }
      await call('volume-create', { signal }, (abortSignal) =>
        docker.createVolume({ Name: name, ...{ _query: {}, _body: body }, abortSignal }),
      )
      // Creating a name that somebody else made meanwhile succeeds, and the volume is theirs.
      compare(instance, name, owner, (await labelsOf(name, signal)) ?? {})
    },

    remove(name, user, signal) {
      const work = async (): Promise<void> => {
        const carried = await labelsOf(name, signal)
        if (carried === undefined) return
        const isTheirs = isOurs(instance, carried) && carried[labels.volume] === name
        if (!isTheirs || carried[labels.user] !== user)
          throw new BerthError('name_taken', `The volume ${name} belongs to somebody else.`)
        await unlessGone(
          call('volume-remove', { signal }, (abortSignal) =>
            docker.getVolume(name).remove({ abortSignal }),
          ),
        )
      }
      return outcomeOf('conflict', 'The volume could not be removed', work)
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

function volumeLabels(
  instance: string,
  name: string,
  owner: Person | undefined,
): Record<string, string> {
  const own = { [labels.instance]: instance, [labels.volume]: name }
  if (owner === undefined) return own
  return { ...own, [labels.user]: owner.name, [labels.subject]: owner.subject }
}

function compare(instance: string, name: string, owner: Person | undefined, carried: Labels): void {
  const wanted = `${labels.instance}=${instance} and ${labels.volume}=${name}`
  if (!isOurs(instance, carried) || carried[labels.volume] !== name)
    throw new BerthError(
      'name_taken',
      `The volume ${name} is not this instance's: it lacks the labels ${wanted}.`,
    )
  if (carried[labels.user] !== owner?.name)
    throw new BerthError('name_taken', `The volume ${name} belongs to somebody else.`)
  if (owner !== undefined && carried[labels.subject] !== owner.subject)
    throw new BerthError(
      'identity_reused',
      'The files under this user name belong to somebody who had it before.',
    )
}
