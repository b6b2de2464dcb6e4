// What becomes an entry of the history: every movement of a workspace, a refusal and a sign-in once in a while, and each
// act of an administrator. It hands the entries on and waits for nothing.
import type { Clock } from '@berth/shared/clock'
import { isGuestName } from '@berth/shared/names'
import type { ProblemCode } from '@berth/shared/problems'
import type { AuditEntry } from '../audit.ts'
import type { HistoryObserver } from '../loop/observer.ts'
import type { Entry, Sample } from './entry.ts'
import { entriesOf, type NewEntry } from './movement.ts'
import { createRecently } from './recently.ts'

export interface Recorder extends HistoryObserver {
  readonly audited: (entry: AuditEntry) => void
  /** What was in use at the most since the last call. */
  readonly sample: () => Sample
}

/** The same refusal of the same person: a page that is open asks again and again. */
const refusalEveryMs = 300_000
/** A person who was away for so long has come anew. */
const awayMs = 4 * 3_600_000
const mostRemembered = 20_000
const longestDetail = 500

/** Not refusals but the state of the workspace, which other entries tell. */
const statesOnly: ReadonlySet<ProblemCode> = new Set([
  'workspace_idle',
  'workspace_stopped',
  'workspace_unknown',
  'starting',
  'start_failed',
  'start_timeout',
  'image_missing',
  'shutting_down',
  'spawner_unreachable',
])

export function createRecorder(clock: Clock, keep: (entry: Entry) => void): Recorder {
  const recently = (forMs: number) =>
    createRecently({ now: () => clock.now(), forMs, most: mostRemembered })
  const refusals = recently(refusalEveryMs)
  const people = recently(awayMs)
  let counted: Omit<Sample, 'at'> = { places: 0, queued: 0, limit: 0 }
  let most = counted

  function add({ detail, ...entry }: NewEntry): void {
    keep({ at: clock.wall(), ...entry, ...(detail && { detail: detail.slice(0, longestDetail) }) })
  }

  return {
    moved(change) {
      for (const entry of entriesOf(change)) add(entry)
    },

    refused({ person, template, workspace }, { failure, limit }) {
      const { code, detail } = failure
      if (statesOnly.has(code)) return
      // A client can be any number of guests: their refusals are one.
      const who = person !== undefined && isGuestName(person) ? 'guests' : person
      if (!refusals.isNew(JSON.stringify([who, template, code]))) return
      add({ type: 'refusal', person, template, workspace, reason: code, detail, limit })
    },

    seen(person) {
      if (people.isNew(person) && !isGuestName(person)) add({ type: 'sign-in', person })
    },
    active: (person) => people.mark(person),

    counted({ places }, queued, { maxWorkspaces }) {
      counted = { places, queued, limit: maxWorkspaces }
      most = {
        places: Math.max(most.places, places),
        queued: Math.max(most.queued, queued),
        limit: maxWorkspaces,
      }
    },
    sample() {
      const sample = { at: clock.wall(), ...most }
      most = counted
      return sample
    },

    audited({ at, administrator: person, act, target, why, outcome }) {
      const detail = why === '' ? undefined : why.slice(0, longestDetail)
      keep({ at, type: 'act', person, reason: act, target, outcome, detail })
    },
  }
}
