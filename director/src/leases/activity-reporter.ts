// Reports to the spawner which seats are in use, well before their leases expire, and takes the renewed leases from the
// answer.
import type { Clock } from '@berth/shared/clock'
import { longestMs, type ActivityAnswer, type ActivityReport } from '@berth/shared/contract'
import type { Lease } from './lease.ts'
import type { LeaseTable, Seat } from './lease-table.ts'
import { createRenewals, type Renewal } from './renewals.ts'
import type { SetTimer } from '@berth/shared/timer'

/** The interval of reports stays between these, for any lease. */
const shortestIntervalMs = 250
const longestIntervalMs = 10_000
/** Reported for a seat that was not used through this director. */
const neverUsedMs = longestMs

type ReportedSeats = ActivityReport['seats']

export interface ActivityReporterDeps {
  readonly table: LeaseTable
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** @returns `undefined` when the report did not arrive (the sender logs it). Never rejects. */
  readonly send: (
    seats: ReportedSeats,
    signal: AbortSignal,
  ) => Promise<ActivityAnswer['leases'] | undefined>
}

export interface ActivityReporter extends AsyncDisposable {
  /** A lease was granted that may be shorter: the next report may be due earlier. */
  hurry(): void
  /** Reports now. */
  report(): Promise<void>
}

/** A quarter of the shortest lease, within bounds. */
export function reportIntervalMs(shortestLeaseMs: number | undefined): number {
  const wanted = shortestLeaseMs === undefined ? longestIntervalMs : shortestLeaseMs / 4
  return Math.min(longestIntervalMs, Math.max(shortestIntervalMs, wanted))
}

export function createActivityReporter(deps: ActivityReporterDeps): ActivityReporter {
  const { table, clock, setTimer, send } = deps
  const closing = new AbortController()
  let begunAt = clock.now()
  let timer: Disposable | undefined
  let running: Promise<void> | undefined

  function schedule(): void {
    timer?.[Symbol.dispose]()
    if (closing.signal.aborted) return
    const dueAt = begunAt + reportIntervalMs(table.shortestMs())
    timer = setTimer(Math.max(0, dueAt - clock.now()), () => void report())
  }

  async function reportOnce(): Promise<void> {
    begunAt = clock.now()
    const sentAt = begunAt
    const reportable = table.seats().filter((seat) => seat.activity.reportable())
    const batch = reportable
      .map((seat) => ({ seat, lease: seat.lease, arrived: seat.activity.reporting() }))
      .toArray()
    table.sweep()
    if (batch.length === 0) return
    const leases = await send(merge(batch.map(({ seat }) => seat)), closing.signal)
    if (leases === undefined) return
    const renewalOf = createRenewals(leases, batch)
    for (const { seat, lease, arrived } of batch) {
      arrived()
      applyRenewal(seat, lease, renewalOf(seat, lease), sentAt)
    }
  }

  function applyRenewal(
    seat: Seat,
    lease: Lease,
    renewal: Renewal | undefined,
    sentAt: number,
  ): void {
    // A lease found by name expires by itself, so that the spawner is asked as soon as it can be reached.
    if (lease.byName) return
    if (renewal === undefined) return table.end(seat, lease)
    if (renewal.seatEnded === true) return table.lose(seat)
    const { unusedEndsInMs: inMs } = renewal
    table.foretell(seat, inMs === undefined ? undefined : { endsAt: sentAt + inMs, toldAt: sentAt })
    // A lease that has ended here stays ended: its container may be gone.
    if (lease.expiresAt <= sentAt) return
    const { leaseMs, endsAt = lease.endsAt } = renewal
    if (leaseMs === 0) return
    table.renew(seat, lease, { askedAt: sentAt, expiresAt: sentAt + leaseMs, endsAt })
  }

  /** One report at a time: a second one joins the first. */
  function report(): Promise<void> {
    running ??= reportOnce().finally(() => {
      running = undefined
      schedule()
    })
    return running
  }

  schedule()

  return {
    hurry: schedule,
    report,
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]()
      await running
      await report()
      closing.abort()
      timer?.[Symbol.dispose]()
    },
  }
}

/** A person may hold several seats of one container (with other groups): the report has one entry for them. */
function merge(seats: readonly Seat[]): ReportedSeats {
  const merged = new Map<string, ReportedSeats[number]>()
  for (const { holder, lease, activity } of seats) {
    // For a lease found by name the container's id is not known.
    const generation = lease.byName ? {} : { generation: lease.generation }
    const key = JSON.stringify([lease.workspace, generation, holder.user.name])
    const known = merged.get(key)
    merged.set(key, {
      workspace: lease.workspace,
      ...generation,
      user: holder.user.name,
      lastUseAgoMs: Math.min(
        known?.lastUseAgoMs ?? neverUsedMs,
        Math.round(activity.lastUseAgoMs() ?? neverUsedMs),
      ),
      connections: (known?.connections ?? 0) + activity.connections(),
    })
  }
  return [...merged.values()]
}
