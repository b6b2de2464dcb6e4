// Images: what an image says about itself, and one pull for all people who wait for the same image.
import type { Readable } from 'node:stream'
import { createSharedCalls } from '@berth/shared/shared-calls'
import type Docker from 'dockerode'
import { z } from 'zod'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import { withTag } from '../../templates/image-reference.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { done, failed, resultOf } from '../client/engine-result.ts'
import { asFault, isFault } from '../client/fault.ts'
import { inspectImage } from '../client/inspect.ts'
import { diskUsage } from '../client/disk-usage.ts'
import { readLines } from '../client/lines.ts'
import { reservedLabel } from '../observe/ownership.ts'
import type { FindCredentials } from './docker-configuration.ts'
import type { Failure } from '../../policy/domain.ts'
import {
  isBuiltHere,
  notBuilt,
  notPulled,
  pullFailure,
  withoutCredentials,
} from './pull-failure.ts'
import { createPullProgress, parsePullLine } from './pull-progress.ts'

export interface Image {
  readonly id: string
  readonly user: string
  readonly hasHealthcheck: boolean
  /** A label reserved for Berth that the image has. */
  readonly reserved: string | undefined
}

export interface Images {
  /** `undefined` if the engine does not have the image. */
  inspect(reference: string, signal: AbortSignal): Promise<Image | undefined>
  /** The ids that these references, and those that were ensured lately, have now. Images that are absent are left out. */
  idsOf(references: Iterable<string>, signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  readonly labelled: Engine['images']
  readonly sizes: Engine['imageSizes']
  readonly ensure: Engine['ensureImage']
}

/** What layers share is in `LayersSize` once. */
const imageUsage = z.object({
  LayersSize: z.number().nullish(),
  Images: z.array(z.unknown()).nullish(),
})

const maxRemembered = 256

const descriptiveLabel = /^(berth\.image|orca)\./

/** A pull without progress for this time is aborted. */
const silenceMs = 300_000

export function createImages(deps: EngineClient & { findCredentials: FindCredentials }): Images {
  const { docker, call, findCredentials } = deps
  const pulls = createSharedCalls<EngineResult<void>, number>()
  const ensured = new Set<string>()

  const inspect: Images['inspect'] = async (reference, signal) => {
    const info = await inspectImage(deps, reference, { signal })
    if (info === undefined) return undefined
    // An image that was imported, not built, may have no configuration at all.
    const config = info.Config as Partial<Docker.ImageInspectInfo['Config']> | null | undefined
    const test = config?.Healthcheck?.Test
    return {
      id: info.Id,
      user: config?.User ?? '',
      hasHealthcheck: test !== undefined && test.length > 0 && test[0] !== 'NONE',
      reserved: reservedLabel(config?.Labels),
    }
  }

  async function pull(
    reference: string,
    onPercent: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<EngineResult<void>> {
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(new DOMException('', 'TimeoutError')), silenceMs)
    const either = AbortSignal.any([signal, silence.signal])
    const progress = createPullProgress()
    onPercent(0)
    const login = await findCredentials(reference)
    const auth = login.status === 'found' ? { authconfig: login.credentials } : {}
    const failure = (cause: string): EngineResult<void> => refused(pullFailure(reference, cause))
    const refused = (told: Failure): EngineResult<void> =>
      failed(login.status === 'unavailable' ? withoutCredentials(told, login.why) : told)
    try {
      const stream = (await call(
        'image-pull',
        { signal: either, deadlineMs: silenceMs },
        // Without the deadline's signal: the deadline is for the answer, and the stream of progress goes on after it.
        // Without a tag the engine would pull every tag that the repository has.
        () => docker.pull(withTag(reference), { ...auth, abortSignal: either }),
      )) as Readable
      for await (const text of readLines(stream)) {
        timer.refresh()
        const line = parsePullLine(text)
        if (line?.error !== undefined) return failure(line.error)
        if (line !== undefined) onPercent(progress.heard(line))
      }
      return done(undefined)
    } catch (error) {
      if (silence.signal.aborted)
        return refused(notPulled(reference, 'there was no progress for five minutes'))
      const fault = asFault('image-pull', error)
      if (fault.kind === 'unreachable') throw fault
      return failure(fault.message)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    inspect,

    async idsOf(references, signal) {
      const known = await Promise.all(
        [...new Set([...references, ...ensured])].map(async (reference) => {
          const image = await inspect(reference, signal).catch(unlessUnreachable)
          return [reference, image?.id] as const
        }),
      )
      return new Map(
        known.flatMap(([reference, id]) => (id === undefined ? [] : [[reference, id]])),
      )
    },

    async sizes(signal) {
      const { LayersSize, Images } = imageUsage.parse(await diskUsage(deps, 'image', signal))
      return { count: Images?.length ?? 0, bytes: LayersSize ?? 0 }
    },

    async labelled(signal) {
      const listed = await call('image-list', { signal, deadlineMs: 30_000 }, (abortSignal) =>
        docker.listImages({ abortSignal }),
      )
      return listed.flatMap(({ Id: id, ...image }) => {
        // An image without labels has `null` here.
        const labels = (image.Labels as Record<string, string> | null) ?? {}
        if (!Object.keys(labels).some((name) => descriptiveLabel.test(name))) return []
        const tags = (image.RepoTags ?? []).filter((name) => !name.startsWith('<none>'))
        return tags.map((reference) => ({ reference, id, labels }))
      })
    },

    async ensure(template, onPull, signal) {
      const reference = template.spec.image
      if (ensured.size >= maxRemembered) ensured.clear()
      ensured.add(reference)
      return resultOf('image_missing', `The image ${reference} could not be obtained`, async () => {
        const present = await inspect(reference, signal)
        if (present === undefined && isBuiltHere(reference)) return failed(notBuilt(reference))
        const wanted = template.spec.pull === 'always' && !isBuiltHere(reference)
        if (present !== undefined && !wanted) return admit(reference, present)
        const pulled = await pulls
          .join(reference, (ends, report) => pull(reference, report, ends), {
            signal,
            onReport: onPull,
          })
          .catch((error: unknown) => {
            throw asFault('image-pull', error)
          })
        if (!pulled.ok) return pulled
        return admit(reference, await inspect(reference, signal))
      })
    },
  }
}

/** An error about one image must not make the whole inventory fail. */
function unlessUnreachable(error: unknown): undefined {
  if (!isFault(error, 'refused', 'broken')) throw error
}

function admit(reference: string, image: Image | undefined): EngineResult<void> {
  if (image === undefined)
    return failed(notPulled(reference, 'it was removed right after the pull'))
  if (image.reserved === undefined) return done(undefined)
  return failed({
    code: 'start_failed',
    detail: `The image ${reference} carries the label ${image.reserved}, which is reserved for Berth. Build it without that label.`,
  })
}
