// A person's view of their workspace as a stream of events. An open stream counts as presence, and it starts nothing.
import type { Response } from 'express'
import { formatEvent } from '@berth/shared/server-sent-events'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Caller } from '../http/caller.ts'
import { openEventStream } from '../http/event-stream.ts'
import { closeTabs, createStreamLimit } from '../http/stream-limit.ts'
import { showStatus, type ShownStatus } from './status.ts'

const presenceEveryMs = 10_000
/** A script of a page cannot hear comments, but has to notice that a stream is silent. */
const beat = formatEvent('beat', {})
/** The shortest time between two events about progress in one phase. A new phase is sent at once. */
const progressEveryMs = 250
/** Well above the 64 KiB at which Node reports a slow reader. From that point on nothing more is written. */
const maxPendingBytes = 256 * 1024
/** The most streams of one person on one workspace: one for each tab. */
const maxStreams = 50

export interface PersonEvents {
  open(response: Response, caller: Caller): void
}

export function createPersonEvents(workspaces: Workspaces): PersonEvents {
  const streams = createStreamLimit(maxStreams, 'event streams', closeTabs)

  function open(response: Response, { person, template, only }: Caller): void {
    const taken = streams.take(JSON.stringify([template.name, person.name]))
    let told: ShownStatus | undefined
    let toldEnd: string | undefined
    let later: NodeJS.Timeout | undefined
    const stream = openEventStream(response, maxPendingBytes, {
      beat,
      onDrain: () => tell(),
      onClose() {
        clearInterval(presence)
        clearTimeout(later)
        following?.[Symbol.dispose]()
        taken[Symbol.dispose]()
      },
    })

    function tell(): void {
      clearTimeout(later)
      later = undefined
      // A slow reader gets only the latest status when it has caught up, not every status in between.
      if (!stream.flowing) return
      const view = workspaces.view(person, template.name, only)
      const status = showStatus(view)
      if (view.endWarned === true) tellEnd(status)
      if (told !== undefined && sameButForTime(told, status)) return
      told = status
      stream.send('phase', status)
    }

    function tellEnd(status: ShownStatus): void {
      if (status.endsAt === undefined || status.endsAt === toldEnd) return
      toldEnd = status.endsAt
      stream.send('end', status)
    }

    function changed(): void {
      const { status } = workspaces.view(person, template.name, only)
      if (status.phase !== told?.phase) tell()
      else later ??= setTimeout(tell, progressEveryMs)
    }

    function bePresent(): void {
      workspaces.reportPresence(person, template.name, only)
      tell()
    }

    const presence = setInterval(bePresent, presenceEveryMs)
    let following: Disposable | undefined = undefined
    tell()
    following = workspaces.follow(person, template.name, changed, only)
    if (stream.closed) following[Symbol.dispose]()
    workspaces.reportPresence(person, template.name, only)
  }

  return { open }
}

function sameButForTime(a: ShownStatus, b: ShownStatus): boolean {
  return timeless(a) === timeless(b)
}

function timeless(status: ShownStatus): string {
  const steps = status.steps.map(({ state }) => state)
  return JSON.stringify({ ...status, elapsedMs: 0, steps })
}
